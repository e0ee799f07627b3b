"""The native modules as ARM machine code: what each is tested with elsewhere, on two small chips,
and on one with a float unit where a module has a source for it.

Pointers have 32 bits there and loads through ptr32 a sign, unlike on the computer that runs the
tests. `pip install unicorn` brings the emulator; without it, this is skipped.
"""

from __future__ import annotations

import array_modules
import gaussians_cases
import mlp_cases
import numpy as np
import pytest
import signal_cases
import test_emlearn_arrayutils as arrayutils
import test_emlearn_bayes as bayes
import test_emlearn_fft as fft
import test_emlearn_gmm as gmm
import test_emlearn_iir as iir
import test_emlearn_iir_q15 as iir_q15
import test_emlearn_kmeans as kmeans
import test_emlearn_linreg as linreg
import test_emlearn_mlp as mlp
import test_emlearn_neighbors as neighbors
import test_emlearn_trees as trees
import trees_cases

pytest.importorskip(
    "unicorn",
    reason="there is no emulator of ARM chips: `pip install unicorn`",
    exc_type=ImportError,
)

import arm_cpu
import arm_module
from arm_module import ARCHES, WITH_FPU, ArmModule, arches_of

from workshop_helpers import paths
from workshop_helpers.modules.build import module_names

TWIN = "cpython"  # whose place the ARM code takes in what runs the cases
API = {
    "emlearn_arrayutils": "arrayutils_api.py",
    "emlearn_bayes": "gaussians_api.py",
    "emlearn_fft": "signals_api.py",
    "emlearn_gmm": "gaussians_api.py",
    "emlearn_iir": "signals_api.py",
    "emlearn_iir_q15": "signals_api.py",
    "emlearn_kmeans": "kmeans_api.py",
    "emlearn_linreg": "signals_api.py",
    "emlearn_mlp": "mlp_api.py",
    "emlearn_neighbors": "neighbors_api.py",
    "emlearn_trees": "trees_api.py",
}


def on_arches(name: str):
    return pytest.mark.parametrize("on_arm", arches_of(name), indirect=True)


ALL = pytest.mark.parametrize(
    ("name", "on_arm"),
    [(name, arch) for name in API for arch in arches_of(name)],
    indirect=["on_arm"],
)


@pytest.fixture
def on_arm(request, monkeypatch):
    """on_arm(run, ...) is run(...), but what it would run on CPython is ARM code."""

    def run_script(variant: str, script: str, *arguments: object) -> str:
        return arm_module.run_script(request.param, trees_cases.DEVICE / script, *arguments)

    def call(run, *arguments):
        with monkeypatch.context() as patch:
            for cases in (array_modules, gaussians_cases, mlp_cases, signal_cases, trees_cases):
                patch.setattr(cases, "run_script", run_script)
            return run(*arguments)

    call.arch = request.param
    return call


def test_every_module_is_here():
    assert set(API) == set(module_names())


@pytest.mark.parametrize(
    ("name", "on_arm"),
    [(name, arch) for name in API for arch in arches_of(name)],
    indirect=["on_arm"],
)
def test_api(name, on_arm, tmp_path):
    arguments: list[object] = [tmp_path]
    if API[name] == "signals_api.py":
        arguments = [tmp_path, name]
    elif API[name] == "gaussians_api.py":
        file = tmp_path / "file"
        own = bayes.MAGIC if name == "emlearn_bayes" else gmm.MAGIC
        file.write_bytes(gaussians_cases.random_file(1, own, 2, 3, 0, int(own == gmm.MAGIC)))
        arguments = [name, tmp_path, file]
    said = arm_module.run_script(on_arm.arch, trees_cases.DEVICE / API[name], *arguments)
    assert said.startswith("passed"), said


@ALL
def test_the_first_call_after_an_install(name, on_arm, tmp_path):
    """Else no board of this kind would take the module."""
    smoke = (paths.NATIVE_MODULES / "smoke" / f"{name}.py").read_text(encoding="utf-8")
    script = tmp_path / "smoke.py"
    script.write_text(f"{smoke}\n\nprint(_w_smoke())\n", encoding="utf-8")
    assert arm_module.run_script(on_arm.arch, script) == "(None, None)\n"


@pytest.mark.parametrize("bits", [0, 8, 32])
@on_arches("emlearn_trees")
def test_trees(bits, on_arm, tmp_path):
    forests = [f for f in trees.EXTREMES.values() if f.bits == bits and len(f.leaves) < 30000]
    for seed in range(12):
        n_classes = 1 if bits == 32 else 1 + seed
        forests.append(trees_cases.random_forest(seed, 2 + 3 * seed, n_classes, 12, 4, bits))
    cases = [
        (f.text().encode(), trees_cases.random_rows(i, 8, f.n_features))
        for i, f in enumerate(forests)
    ]
    answers = on_arm(trees_cases.run_cases, tmp_path, TWIN, cases)
    for forest, (_, x), got in zip(forests, cases, answers, strict=True):
        assert not isinstance(got, str), got
        assert trees_cases.agree(got, forest.outputs(x))


@on_arches("emlearn_neighbors")
def test_neighbors(on_arm, tmp_path):
    cases = [*neighbors.VECTORS.values(), neighbors.IN_WORDS[-1]]
    cases = [case for case in cases if len(case[1]) < 1000]
    answers = on_arm(array_modules.run_cases, tmp_path, neighbors.NAME, TWIN, cases)
    for case, got in zip(cases, answers, strict=True):
        assert got == neighbors.expected(*case), case[:1]


@on_arches("emlearn_kmeans")
def test_kmeans(on_arm, tmp_path):
    answers = on_arm(array_modules.run_cases, tmp_path, kmeans.NAME, TWIN, kmeans.as_cases())
    twins = array_modules.run_cases(tmp_path, kmeans.NAME, TWIN, kmeans.as_cases())
    assert dict(zip(kmeans.VECTORS, answers, strict=True)) == dict(
        zip(kmeans.VECTORS, twins, strict=True)
    )


@pytest.mark.parametrize("arch", ARCHES)
def test_buffers_that_fit_are_looked_at_in_machine_code(arch):
    """To look at them in bytecode takes longer than a small search, and allocates."""

    def never(*_):
        raise AssertionError("looked at in bytecode")

    arm = ArmModule(neighbors.NAME, arch)
    features = arm.array("h", [1, 2, 3])
    model = arm.module.new(1, 3, 1)
    model.additem(features, 5)
    assert model.predict(features) == 5
    arm.module._see = never
    assert model.predict(features) == 5
    arm = ArmModule(kmeans.NAME, arch)
    vectors, point = bytearray(range(100)), bytearray(b"\x61")
    assert arm.module.euclidean_argmin(vectors, point) == (97, 0)
    arm.module._see = never
    assert arm.module.euclidean_argmin(vectors, point) == (97, 0)


def test_buffers_of_floats_are_looked_at_in_machine_code():
    def never(*_):
        raise AssertionError("looked at in bytecode")

    arm = ArmModule(linreg.NAME, WITH_FPU)
    x, y = arm.array("f", [1, 2, 3]), arm.array("f", [1])
    model = arm.module.new(3, 0, 0, 0.1)
    arm.module._want = never
    assert model.predict(x) == 0 and model.score_mse(x, y) == 1
    model.step(x, y)
    assert abs(model.predict(x) - 1.5) < 1e-6
    arm = ArmModule(iir.NAME, WITH_FPU)
    iir_filter = arm.module.new(arm.array("f", [0.5, 0, 0, 1, 0, 0]))
    arm.module._want = never
    iir_filter.run(x)
    assert list(x) == [0.5, 1, 1.5]
    arm = ArmModule(arrayutils.NAME, WITH_FPU)
    arm.module.linear_map(x, x, 0, 1, 0, 2)
    arm.module._see = never
    arm.module.linear_map(y, y, 0, 1, 0, 2)
    assert list(x) == [1, 2, 2] and list(y) == [2]


@on_arches("emlearn_arrayutils")
def test_arrayutils(on_arm, tmp_path):
    packed = array_modules.packed
    cases = [
        [packed(x, arrayutils.values(x, limits, i)), out, packed("d", np.array(limits, "<f8"))]
        for i, (x, out, limits) in enumerate(arrayutils.CASES)
    ]
    answers = on_arm(array_modules.run_cases, tmp_path, arrayutils.NAME, TWIN, cases)
    assert all(isinstance(answer, str) for answer in answers), answers
    if on_arm.arch != WITH_FPU:
        assert answers == array_modules.run_cases(tmp_path, arrayutils.NAME, TWIN, cases)
        return
    for i, ((x, out, limits), answer) in enumerate(zip(arrayutils.CASES, answers, strict=True)):
        got = np.frombuffer(bytes.fromhex(answer), arrayutils.DTYPES[out]).astype(float)
        want, _ = arrayutils.expected(arrayutils.values(x, limits, i), limits)
        bound = 2**-21 * max(np.abs(limits[2:]))
        if out == "h":
            want = want.clip(-32768, 32767)
            bound += 0.5
        assert (np.abs(got - want) <= bound).all(), (x, out, limits)


@on_arches("emlearn_fft")
def test_fft(on_arm, tmp_path):
    table = fft.table((4, 8, 64, 512))
    table += [(name, z) for name, z in fft.table((2048,)) if "noise" in name or "scale" in name]
    cases = [fft.as_case(z) for _, z in table]
    answers = on_arm(signal_cases.run, fft.NAME, tmp_path, TWIN, cases)
    for (name, z), answer in zip(table, answers, strict=True):
        bound = 5e-7 if on_arm.arch == WITH_FPU else 2e-4
        assert fft.largest_error(z, answer) < bound, name


@on_arches("emlearn_iir")
def test_iir(on_arm, tmp_path):
    has_fpu = on_arm.arch == WITH_FPU
    table = iir.table(1500, 100) if has_fpu else iir.table(200, 30)
    answers = on_arm(signal_cases.run, iir.NAME, tmp_path, TWIN, [case for *_, case in table])
    for (name, sos, x, _), answer in zip(table, answers, strict=True):
        want = iir.expected(sos, x)
        largest = max(np.abs(want).max(), np.abs(x).max()) or 1
        bound = (3e-7 if has_fpu else 3e-5) * largest
        assert np.abs(signal_cases.from_hex(answer) - want).max() < bound, name


def test_iir_starts_anew_after_an_overflow():
    """With floats, infinity or NaN in the state would stay for good."""
    arm = ArmModule(iir.NAME, WITH_FPU)
    for sos in ([1, 0, 0, 1, -1.5, 0.9], [1e9, 0, 0, 1, 0, 0], [0, 0, 1e9, 1, 0, 0]):
        section = arm.array("f", sos)
        iir_filter, fresh = arm.module.new(section), arm.module.new(section)
        large = arm.array("f", [3e38, 3e38, 3e38])
        iir_filter.run(large)
        assert not abs(large[2]) < 1e39, sos
        iir_filter.run(arm.array("f", [0]))
        x, y = arm.array("f", [1, 2, 3]), arm.array("f", [1, 2, 3])
        iir_filter.run(x)
        fresh.run(y)
        assert x == y


@on_arches("emlearn_iir_q15")
def test_iir_q15(on_arm, tmp_path):
    cases = [case for *_, case in iir_q15.table(150, 37)]
    answers = on_arm(signal_cases.run, iir_q15.NAME, tmp_path, TWIN, cases)
    assert answers == signal_cases.run(iir_q15.NAME, tmp_path, TWIN, cases)


@pytest.mark.parametrize("arch", ARCHES)
def test_iir_q15_where_sums_need_33_bits(arch):
    arm = ArmModule(iir_q15.NAME, arch)
    rng = np.random.default_rng(1)
    for _ in range(100):
        a2 = int(rng.choice([-8191, 8191, rng.integers(-8191, 8192)]))
        limit = 8191 - a2
        a1 = int(rng.choice([-limit, limit, rng.integers(-limit, limit + 1)]))
        b = rng.choice([-32768, 32767, 0, int(rng.integers(-32768, 32768))], 3)
        x = rng.choice([-32768, 32767, int(rng.integers(-32768, 32768))], 40)
        c = np.array([b[0], 0, b[1], b[2], a1, a2], np.int16)
        values = arm.array("h", x.tolist())
        arm.module.new(arm.array("h", c.tolist())).run(values)
        assert list(values) == iir_q15.filtered(c[None], x).tolist(), (c, x)


@on_arches("emlearn_linreg")
def test_linreg(on_arm, tmp_path):
    cases = linreg.table()
    answers = on_arm(signal_cases.run, linreg.NAME, tmp_path, TWIN, cases)
    for case, answer in zip(cases, answers, strict=True):
        linreg.check(case, answer, 1e-5)
    cases = linreg.trainings(12, [(1, 10), (4, 50), (20, 30), (70, 30), (5, 1)])
    answers = on_arm(signal_cases.run, linreg.NAME, tmp_path, TWIN, cases)
    for case, answer in zip(cases, answers, strict=True):
        linreg.check_training(case, answer)


@on_arches("emlearn_mlp")
def test_mlp(on_arm, tmp_path):
    cases = [
        (data, trees_cases.random_rows(1, 5, mlp.widths_of(data))) for data in mlp.EXTREMES.values()
    ]
    found = [([5, 4, 6, 3], end, bits) for end in mlp.ENDS for bits in (8, 16)] * 4
    cases += mlp.networks(1, found)
    answers = on_arm(mlp_cases.run_cases, tmp_path, TWIN, cases)
    twins = mlp_cases.run_cases(tmp_path, TWIN, cases)
    for i, (got, want) in enumerate(zip(answers, twins, strict=True)):
        assert not isinstance(got, str), (i, got)
        assert got.tobytes() == want.tobytes(), i


@pytest.mark.parametrize("module", [bayes, gmm])
@pytest.mark.parametrize("on_arm", ARCHES, indirect=True)
def test_gaussians(module, on_arm, tmp_path):
    shapes = [(1, 1), (1, 2), (255, 1), (1, 255), (13, 3), (64, 2), *[(5, 3), (7, 2)] * 8]
    cases = []
    for seed, (n, k) in enumerate(shapes):
        layout = seed % 3 if module is gmm else 0
        layout = 0 if n * n * k > 5000 else layout
        each = seed // 3 % 2 if module is gmm else 0
        data = gaussians_cases.random_file(seed, module.MAGIC, n, k, layout, each)
        cases.append((data, trees_cases.random_rows(seed, 4, n)))
    answers = on_arm(gaussians_cases.run_cases, tmp_path, module.NAME, TWIN, cases)
    twins = gaussians_cases.run_cases(tmp_path, module.NAME, TWIN, cases)
    for got, want in zip(answers, twins, strict=True):
        assert not isinstance(got, str) and got.keys() == want.keys(), got
        for method, outputs in got.items():
            assert outputs.tobytes() == want[method].tobytes(), method


# That the emulator would notice.

STUMP = ["f,1", "c,2", "l,0", "l,1", "r,0", "n,0,10,-1,-2"]


def test_a_small_chip_refuses_what_it_lacks():
    code = {
        "movw": "40f20010", "sdiv": "91fbf1f0", "umull": "a1fb0203", "b.w": "00f000b8",
        "cbz": "00b1", "it": "08bf00bf", "vadd": "30ee200a", "vldr": "91ed000a",
    }  # fmt: skip
    for name, text in code.items():
        for arch in ARCHES:
            cpu = arm_cpu.Cpu(arch, {name: bytes.fromhex(f"00e000bf{text}00bf7047")}, 1000)
            if arch == "armv7em":
                assert cpu.enter(name, (0, arm_cpu.STUBS, 1, 0)) is None, name
            else:
                with pytest.raises(arm_cpu.ArmFault):
                    cpu.enter(name, (0, 1, 1, 0))


@pytest.mark.parametrize("arch", ARCHES)
def test_an_access_beside_a_buffer_is_a_fault(arch):
    arm = ArmModule("emlearn_trees", arch)

    def walk(features, out):
        model = arm.module.load(STUMP)
        sizes = [model._head.index(n, 4) for n in (1, 2)]  # of the features and of the outputs
        for at, buffer in zip(sizes, (features, out), strict=True):
            model._head[at] = len(buffer)  # as if it fitted
        model.predict(features, out)
        return list(out)

    one, two, none = arm.array("h", [5]), arm.array("f", [0, 0]), arm.array("f")
    assert walk(one, two) == [1, 0]
    for features, out, what in (
        (one, arm.array("f", [0]), "WRITE_UNMAPPED|a write beside"),
        (one, none, "WRITE_UNMAPPED|a write beside"),
        (arm.array("h"), two, "READ_UNMAPPED"),
    ):
        with pytest.raises(arm_cpu.ArmFault, match=what):
            walk(features, out)


def test_what_an_assembler_function_may_not_do(tmp_path, monkeypatch):
    """Each would go unnoticed in a test of answers, and not on every board."""
    functions = {
        "fine": "vldr(s15, [r0, 0])\n    vstr(s15, [r1, 0])\n    mov(r0, 7)",
        "spoils_a_float": "vldr(s16, [r0, 0])",
        "spoils_a_register": "mov(r8, r0)",
        "leaves_an_address": "nop()",
        "reads_beside": "vldr(s15, [r0, 4])\n    mov(r0, 0)",
        "writes_beside": "vstr(s15, [r1, 4])\n    mov(r0, 0)",
        "never_ends": "label(HERE)\n    b(HERE)",
    }
    lines = ["import micropython", ""]
    for name, body in functions.items():
        lines += ["@micropython.asm_thumb", f"def {name}(r0, r1):", f"    {body}", ""]
    for end in ("", "_ref", "_fpu"):
        (tmp_path / f"thing{end}.py").write_text("\n".join(lines))
    monkeypatch.setattr(paths, "NATIVE_MODULES", tmp_path)
    arm = ArmModule("thing", WITH_FPU, max_instructions=1000)
    one, two = arm.array("f", [1.5]), arm.array("f", [0])
    assert arm.module.fine(one, two) == 7 and two == one
    for name, arguments, what in (
        ("spoils_a_float", (one, two), "registers"),
        ("spoils_a_register", (one, two), "registers"),
        ("leaves_an_address", (one, two), "in r0"),
        ("reads_beside", (one, two), "READ_UNMAPPED"),
        ("writes_beside", (one, two), "WRITE_UNMAPPED"),
        ("fine", (one, arm.array("h", [0])), "WRITE_UNMAPPED|a write beside"),
        ("never_ends", (one, two), "no end"),
        ("fine", (one, 1.5), "become an integer"),
    ):
        with pytest.raises(arm_cpu.ArmFault, match=what):
            getattr(arm.module, name)(*arguments)
    with pytest.raises(TypeError, match="takes 2"):
        arm.module.fine(one)


@pytest.mark.parametrize("arch", ARCHES)
def test_an_endless_loop_ends(arch):
    arm = ArmModule("emlearn_trees", arch, max_instructions=5000)
    model = arm.module.load(STUMP)
    for i in range(8):
        model._data[i] = 0
    model._data[6] = 0  # its right child is the node itself
    with pytest.raises(arm_cpu.ArmFault, match="no end"):
        model.predict(arm.array("h", [5]), arm.array("f", [0, 0]))


@pytest.mark.parametrize("arch", ARCHES)
def test_what_a_prediction_costs(arch):
    """Instructions, the same on any computer: 50 trees of 6 levels may not become slower."""
    forest = trees_cases.random_forest(1, 64, 10, 50, 6)
    arm = ArmModule("emlearn_trees", arch, counting=True)
    model = arm.module.load(forest.text().splitlines())
    features, out = arm.array("h", bytes(128)), arm.array("f", bytes(40))
    counts = []
    for row in trees_cases.random_rows(1, 20, 64).tolist():
        features[:] = arm.array("h", row)
        arm.cpu.instructions.clear()
        model.predict(features, out)
        counts.append(arm.cpu.instructions.total())
    assert sum(counts[1:]) / 19 < 4000, sum(counts[1:]) / 19
