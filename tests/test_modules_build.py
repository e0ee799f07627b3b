"""Every architecture compiles; builds are reproducible, cached, and say what the compiler says."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from workshop_helpers import paths
from workshop_helpers.errors import ModuleArchError, ModuleError, SetupError
from workshop_helpers.modules import ARCHES, arch_of, build
from workshop_helpers.modules.arch import BUILT_ARCHES, compatible
from workshop_helpers.modules.build import build_all, header_arch, module_names
from workshop_helpers.modules.lock import load_lock
from workshop_helpers.modules.tables import size_table

NAME = "emlearn_trees"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def own_sources(tmp_path, monkeypatch, own_cache):
    """A folder of modules of the test's own: name -> text of both files."""
    folder = tmp_path / "sources"
    (folder / "smoke").mkdir(parents=True)
    monkeypatch.setattr(paths, "NATIVE_MODULES", folder)

    def write(name: str, text: str, twin: str = "x = 1\n") -> None:
        (folder / f"{name}.py").write_text(text)
        (folder / f"{name}_ref.py").write_text(twin)

    return write


@pytest.mark.parametrize(
    ("mpy", "found"),
    [
        (2822, ("x64", "6.3")),
        (6 | 3 << 8, (None, "6.3")),
        (6 | 3 << 8 | 10 << 10, ("xtensawin", "6.3")),
        (6 | 2 << 8 | 7 << 10, ("armv7emsp", "6.2")),
        (6 | 3 << 8 | 11 << 10 | 3 << 16, ("rv32imc", "6.3")),  # with flags of extensions
        (6 | 3 << 8 | 15 << 10, (None, "6.3")),  # newer than our table
        (0, (None, "0.0")),
    ],
)
def test_arch_of(mpy, found):
    assert arch_of(mpy) == found


def test_compatible():
    assert compatible("armv7emdp") == ("armv7emdp", "armv7emsp", "armv7em", "armv7m", "armv6m")
    assert compatible("armv7m") == ("armv7m", "armv6m")
    assert compatible("armv6m") == ("armv6m",)
    assert compatible("armv6") == ("armv6",)
    assert compatible("xtensawin") == ("xtensawin",)
    assert compatible(None) == ()


@pytest.mark.parametrize("arch", [*BUILT_ARCHES, None])
@pytest.mark.parametrize("name", module_names())
def test_every_arch_compiles(name, arch):
    built = build(name, arch)
    data = built.path.read_bytes()
    # Machines that are no boards have memory, and instructions that take more of it.
    assert 0 < built.size_bytes == len(data) < (15_000 if arch in ("x64", "x86") else 12_000)
    assert header_arch(data)[0] == arch
    assert data[0:2] == b"M\x06"
    assert data[2] >> 2 == ARCHES.index(arch)
    if arch:
        assert built.abi == "6.3"


def test_builds_are_reproducible(tmp_path, monkeypatch):
    found = set()
    for run in ("one", "two"):
        monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / run))
        monkeypatch.chdir(tmp_path)
        found.add((build(NAME, "x64").sha256, build(NAME, None).sha256))
    assert len(found) == 1
    assert str(tmp_path).encode() not in build(NAME, "x64").path.read_bytes()


def test_the_cache_is_used_and_checked(own_cache):
    built = build(NAME, "x64")
    assert own_cache in built.path.parents
    before = built.path.stat().st_mtime_ns
    assert build(NAME, "x64") == built
    assert built.path.stat().st_mtime_ns == before
    built.path.write_bytes(b"")
    assert build(NAME, "x64") == built
    assert [path.name for path in built.path.parent.iterdir()] == [f"{NAME}.mpy"]


def test_a_changed_source_is_built_again(own_sources):
    native = "import micropython\n@micropython.viper\ndef f(x: int) -> int:\n    return x + %d\n"
    own_sources("thing", native % 1)
    first = build("thing", "x64")
    own_sources("thing", native % 2)
    assert build("thing", "x64").sha256 != first.sha256


def test_out_dir(tmp_path):
    built = build(NAME, "x64", tmp_path / "here")
    assert built.path == tmp_path / "here" / f"{NAME}.mpy"
    assert built.path.stat().st_size == built.size_bytes


def test_build_all_and_its_table(tmp_path):
    steps = []
    built = build_all(out_dir=tmp_path, progress=lambda done, of: steps.append((done, of)))
    assert steps[-1] == (len(built), len(built))
    assert len(built) == len(module_names()) * (len(BUILT_ARCHES) + 1)
    assert (tmp_path / "any" / f"{NAME}.mpy").is_file()
    console = Console(width=100, record=True, file=io.StringIO())
    lock = load_lock()
    console.print(size_table(lock, built))
    text = console.export_text()
    assert "xtensawin" in text and "any (plain)" in text
    assert str(lock.modules[NAME]["x64"].size_bytes) in text
    assert [m.arch for m in build_all("armv6m")] == ["armv6m"] * len(module_names())


def test_errors_name_the_choice():
    with pytest.raises(ModuleError, match=NAME):
        build("nonsense", "x64")
    with pytest.raises(ModuleArchError, match="armv7emsp"):
        build(NAME, "z80")
    with pytest.raises(ModuleError, match=r"not a \.mpy"):
        header_arch(b"hello")


def test_the_compilers_message_is_kept(own_sources):
    own_sources("thing", "import micropython\n@micropython.viper\ndef f(): return 1 + None\n")
    with pytest.raises(ModuleError, match="ViperTypeError") as caught:
        build("thing", "x64")
    assert "native_modules/thing.py" in caught.value.mend
    own_sources("thing", "x = 1\n", "def f(:\n")
    with pytest.raises(ModuleError, match="SyntaxError") as caught:
        build("thing", None)
    assert "thing_ref.py" in caught.value.mend


def test_a_board_with_a_float_unit_gets_the_source_for_it(own_sources):
    native = "import micropython\n@micropython.viper\ndef f(x: int) -> int:\n    return x\n"
    own_sources("thing", native)
    before = {arch: build("thing", arch).sha256 for arch in BUILT_ARCHES}
    with_fpu = "import micropython\n@micropython.asm_thumb\ndef f(r0):\n    vldr(s0, [r0, 0])\n"
    (paths.NATIVE_MODULES / "thing_fpu.py").write_text(with_fpu)
    changed = {a for a in BUILT_ARCHES if build("thing", a).sha256 != before[a]}
    assert changed == {"armv7emsp", "armv7emdp"}
    assert module_names() == ("thing",)
    (paths.NATIVE_MODULES / "thing_fpu.py").write_text(with_fpu.replace("vldr", "vldm"))
    with pytest.raises(ModuleError, match="vldm") as caught:
        build("thing", "armv7emsp")
    assert "thing_fpu.py" in caught.value.mend


def test_a_cortex_m_gets_the_assembler_and_no_other_board_does(own_sources):
    viper = "@micropython.viper\ndef f(x: int) -> int:\n    return x\n"
    thumb = "@micropython.asm_thumb\ndef f(r0):\n    add(r0, 77)\n"
    head = "import micropython\nfrom micropython import const\n_THUMB = const(0)\n"
    both = [text.replace("\n", "\n    ").rstrip() for text in (thumb, viper)]
    own_sources("thing", f"{head}if _THUMB:\n    {both[0]}\nelse:\n    {both[1]}\n")
    own_sources("plain", f"{head}{viper}")
    own_sources("swift", f"{head}{thumb}")
    for arch in BUILT_ARCHES:
        data = build("thing", arch).path.read_bytes()
        assert (b"\x4d\x30" in data) == arch.startswith("armv"), arch  # add(r0, 77)
        same = "swift" if arch.startswith("armv") else "plain"
        assert data.replace(b"thing", same.encode()) == build(same, arch).path.read_bytes()


def test_a_module_without_native_code_is_refused(own_sources):
    own_sources("thing", "x = 1\n")
    with pytest.raises(ModuleError, match="no native code"):
        build("thing", "x64")


def test_reprs_are_short():
    built = build(NAME, "x64")
    assert len(repr(built)) < 80
    assert "<" not in built._repr_html_()


def test_a_folder_that_can_not_be_written(own_cache, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="can't be written") as caught:
        build(NAME, "x64", tmp_path / "file" / "out")
    assert "Name a folder" in caught.value.mend
