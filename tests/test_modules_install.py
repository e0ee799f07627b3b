"""Install on a real MicroPython: the best that runs, and a reason for anything less."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys

import pytest

from workshop_helpers import paths
from workshop_helpers.errors import ModuleArchError, ModuleError, ModuleSmokeError
from workshop_helpers.model import verify
from workshop_helpers.modules import build, install, source_for, try_out
from workshop_helpers.modules.build import compile_plain, header_arch
from workshop_helpers.modules.candidates import candidates
from workshop_helpers.modules.lock import load_lock

NAME = "emlearn_trees"
PATH = f"/lib/{NAME}.mpy"
VIPER = "import micropython\n@micropython.viper\ndef f(x: int) -> int:\n    return x\n"
SMOKE = "def _w_smoke():\n    import sys\n    sys.modules.pop('thing', None)\n    import thing\n"


@pytest.fixture
def native_board(board):
    if board.info.arch is None or board.info.abi != "6.3":
        pytest.skip("this board loads no native code of ours")
    return board


class OtherInfo:
    """A real board that says something else about itself."""

    def __init__(self, board, **info):
        self._board = board
        self.info = dataclasses.replace(board.info, **info)

    def __getattr__(self, name):
        return getattr(self._board, name)


@pytest.fixture
def thing(tmp_path, monkeypatch, board):
    """A module of the test's own: (viper text, twin text, rest of the smoke call)."""
    folder = tmp_path / "sources"
    (folder / "smoke").mkdir(parents=True)
    lock = json.loads((paths.NATIVE_MODULES / "upstream.json").read_bytes())
    (folder / "upstream.json").write_text(json.dumps({**lock, "modules": {}}))
    monkeypatch.setattr(paths, "NATIVE_MODULES", folder)
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))

    def write(viper, twin, smoke="    return getattr(thing, '__file__', None), None\n"):
        (folder / "thing.py").write_text(viper + VIPER)
        (folder / "thing_ref.py").write_text(twin)
        (folder / "smoke" / "thing.py").write_text(SMOKE + smoke)

    yield write
    if board.exists("/lib/thing.mpy"):
        board.rm("/lib/thing.mpy")


def test_native_code_for_this_board(native_board):
    module = install(native_board, NAME)
    assert (module.source, module.arch) == ("workshop native", native_board.info.arch)
    assert (module.name, module.path, module.abi, module.notes) == (NAME, PATH, "6.3", ())
    assert module.sha256 == build(NAME, module.arch).sha256
    assert native_board.eval(f"__import__('{NAME}').__file__") == PATH
    assert install(native_board, NAME) == module
    assert module == native_board.install(NAME)
    assert "workshop native" in repr(module) and len(repr(module)) < 100
    assert "<" not in module._repr_html_()
    names = native_board.exec("print([n for n in globals() if n.startswith('_w_')])")
    assert names == "[]\n"


def test_the_plain_twin(board):
    module = install(board, NAME, "plain")
    assert (module.source, module.arch, module.notes) == ("workshop plain", None, ())
    assert header_arch(board.get(PATH))[0] is None


def test_no_native_code_on_the_board(board):
    module = install(OtherInfo(board, arch=None), NAME)
    assert module.source == "workshop plain"
    assert "slower" in " ".join(module.notes)
    with pytest.raises(ModuleArchError, match="no native code"):
        install(OtherInfo(board, arch=None), NAME, "native")


@pytest.mark.parametrize(
    ("name", "platform", "native"),
    [
        (NAME, "linux", []),
        (NAME, "rp2", ["armv7m", "armv6m"]),
        ("emlearn_linreg", "linux", ["armv7m", "armv6m"]),
    ],
)
def test_linux_on_arm_gets_no_assembler(name, platform, native, board):
    """Its MicroPython loads viper, but would run inline assembler as bytecode."""
    info = dataclasses.replace(board.info, platform=platform, arch="armv7m", abi="6.3")
    found = candidates(info, name, "workshop", None, [])
    assert [candidate.arch for candidate in found] == [*native, None]


def test_an_older_mpy_version(board):
    module = install(OtherInfo(board, abi="6.2"), NAME)
    assert module.source == "workshop plain"


def test_a_bad_line_is_no_reason_for_the_plain_twin(native_board, monkeypatch):
    """A trial that was damaged on its way says nothing of the module."""
    from workshop_helpers.board import snippets

    def spoilt(transport, code):
        return whole(transport, code).replace("predict", "predikt")

    whole = snippets.checked
    monkeypatch.setattr(snippets, "checked", spoilt)
    with pytest.raises(ModuleError, match="did not arrive whole") as caught:
        install(native_board, NAME)
    assert caught.value.__cause__.code == "BAD_ANSWER"
    monkeypatch.undo()
    assert install(native_board, NAME).source == "workshop native"


def test_native_code_that_the_board_refuses(native_board):
    """The board says another architecture than it has: the real loader refuses the real file."""
    other = "xtensawin" if native_board.info.arch != "xtensawin" else "x64"
    module = install(OtherInfo(native_board, arch=other), NAME)
    assert module.source == "workshop plain"
    assert any("incompatible .mpy" in note for note in module.notes)
    with pytest.raises(ModuleError, match=r"incompatible \.mpy") as caught:
        install(OtherInfo(native_board, arch=other), NAME, "native")
    assert "incompatible" in caught.value.device_traceback
    assert not native_board.exists(PATH)


def test_stale_files_are_removed(board):
    for path in (f"/{NAME}.py", f"/{NAME}.mpy", f"/lib/{NAME}.py"):
        board.put(b"stale = True\n", path)
    module = install(board, NAME)
    assert len([note for note in module.notes if note.startswith("removed ")]) == 3
    assert board.eval(f"__import__('{NAME}').__file__") == PATH
    assert [file.path for file in board.ls("/lib") if NAME in file.path] == [PATH]


def test_a_file_that_still_wins(board):
    board.put(b"def new(*a): pass\n", f"/first/{NAME}.py")
    board.exec("import sys\nsys.path.insert(0, '/first')")
    try:
        with pytest.raises(ModuleError):
            install(board, NAME)
    finally:
        board.rm("/first", recursive=True)


@pytest.mark.parametrize("file", ["", "__init__.py", "models/xor.csv"])
def test_a_folder_of_the_modules_name_wins_and_is_named(file, board):
    """MicroPython takes any folder for a package, empty ones too."""
    folder = f"/{NAME}"
    if file:
        board.put(b"x = 1\n", f"{folder}/{file}")
    else:
        board.mkdir(folder)
    try:
        with pytest.raises(ModuleError, match=f"imports {folder} instead of {PATH}") as caught:
            install(board, NAME)
        assert f"board.rm('{folder}', recursive=True)" in caught.value.mend
        assert board.exists(folder)  # it may hold what somebody wants
    finally:
        board.rm(folder, recursive=True)
    assert install(board, NAME).path == PATH


def test_a_module_in_the_firmware(thing, board):
    thing("x = 1\n", "x = 1\n", "    return None, None\n")
    module = install(board, "thing")
    assert (module.source, module.path, module.size_bytes) == ("built in", None, 0)
    assert not board.exists("/lib/thing.mpy")


def test_a_module_built_into_the_firmware(thing, board, monkeypatch):
    """Really one: nothing is sent, and a file of the same name changes nothing."""
    monkeypatch.delenv("WORKSHOP_MODULES")
    folder = paths.NATIVE_MODULES
    thing("x = 1\n", "x = 1\n")
    for file in ("thing.py", "thing_ref.py", "smoke/thing.py"):
        text = (folder / file).read_text().replace("thing", "heapq")
        (folder / file.replace("thing", "heapq")).write_text(text)
    module = install(board, "heapq")
    assert (module.source, module.path, module.notes) == ("built in", None, ())
    assert not board.exists("/lib/heapq.mpy")
    assert "built into the firmware" in repr(module)


@pytest.mark.parametrize("text", ["def new(*a): pass\n", None])
def test_a_model_that_the_firmwares_own_can_not_run(text, board, small_model, monkeypatch):
    """As in emlearn's own firmware: its emlearn_trees would read soft leaves as classes."""
    data = compile_plain(NAME, text.encode()) if text else build(NAME, None).path.read_bytes()
    board.put(data, PATH)
    module = sys.modules["workshop_helpers.modules.install"]
    monkeypatch.setattr(module, "in_firmware", lambda board, name: name == NAME)
    monkeypatch.setattr(module, "try_out", lambda *arguments, **options: None)
    soft = dataclasses.replace(small_model, estimator=None)
    assert source_for(soft) == "workshop"
    note = install(board, NAME, source_for(soft)).notes[0]
    assert "may not be the workshop's" in note
    if text is None:  # ours, frozen into the firmware
        board.deploy(soft)
        return
    with pytest.raises(ModuleError, match=f"has its own {NAME}.* can't run this model") as caught:
        board.deploy(soft)
    assert "voting='hard'" in caught.value.mend
    with pytest.raises(ModuleError, match="has its own"):
        verify(soft, [[0] * len(soft.features)], board)


def test_what_is_known_of_a_module_in_the_firmware_is_said(board, monkeypatch):
    module = sys.modules["workshop_helpers.modules.install"]
    monkeypatch.setattr(module, "in_firmware", lambda board, name: True)
    monkeypatch.setattr(module, "try_out", lambda *arguments, **options: None)
    (note,) = install(board, "emlearn_neighbors", "official").notes
    assert load_lock().faults["emlearn_neighbors"] in note


def test_a_frozen_module(thing, board):
    """It names a file, which is not there."""
    thing("x = 1\n", "x = 1\n", "    return 'thing.py', None\n")
    assert install(board, "thing").source == "built in"


def test_a_wrong_first_prediction(thing, native_board):
    check = "    return thing.__file__, None if thing.good else 'for 1: 2, not 3'\n"
    thing("good = 0\n", "good = 1\n", check)
    with pytest.raises(ModuleSmokeError, match="2, not 3"):
        install(native_board, "thing", "native")
    module = install(native_board, "thing")
    assert module.source == "workshop plain"
    assert any("2, not 3" in note for note in module.notes)


def test_a_module_that_hangs(thing, native_board, monkeypatch):
    monkeypatch.setattr(try_out, "SMOKE_TIMEOUT_S", 1.0)
    thing("while True: pass\n", "x = 1\n")
    with pytest.raises(ModuleSmokeError, match="did not finish"):
        install(native_board, "thing", "native")
    assert install(native_board, "thing").source == "workshop plain"


NATIVE = "import micropython\n@micropython.viper\ndef go(n: int):\n    {}\ngo(4)\n"


def test_a_module_that_resets_the_board(thing, native_board):
    """Its machine code writes where no memory is."""
    thing(NATIVE.format("ptr32(n)[0] = n"), "x = 1\n")
    with pytest.raises(ModuleSmokeError, match="thing resets the board") as caught:
        install(native_board, "thing", "native")
    assert "source='plain'" in caught.value.mend and caught.value.__cause__.code == "BOARD_GONE"
    assert not native_board.exists("/lib/thing.mpy")
    module = install(native_board, "thing")
    assert module.source == "workshop plain" and "resets the board" in module.notes[0]


def test_a_module_that_hangs_where_ctrl_c_does_not_reach(thing, native_board, own_board):
    thing(NATIVE.format("while n: n |= 4"), "x = 1\n")
    stuck = own_board()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(try_out, "SMOKE_TIMEOUT_S", 0.5)
        with pytest.raises(ModuleSmokeError, match="thing hangs, and the board with it") as caught:
            install(stuck, "thing")
    assert "RESET" in caught.value.mend and "source='plain'" in caught.value.mend


def test_a_module_that_fails_to_import(thing, native_board):
    thing("import nowhere\n", "import nowhere\n")
    with pytest.raises(ModuleError, match="nowhere") as caught:
        install(native_board, "thing")
    assert "ImportError" in caught.value.device_traceback
    assert caught.value.mend


@pytest.mark.parametrize("name", ["emlearn_trees", "emlearn_neighbors", "emlearn_kmeans"])
@pytest.mark.parametrize("constant", ["_TYPECODE", "_LENGTH", "_ADDRESS"])
def test_a_firmware_that_keeps_arrays_in_another_way(
    name, constant, native_board, tmp_path, monkeypatch
):
    """Modules that read an array's header look for each part where this firmware has another."""
    folder = tmp_path / "sources"
    shutil.copytree(paths.NATIVE_MODULES, folder)
    monkeypatch.setattr(paths, "NATIVE_MODULES", folder)
    source = folder / f"{name}.py"
    moved, n = re.subn(
        rf"(?m)^{constant} = const\(.*?\)", f"{constant} = const(0)", source.read_text()
    )
    if constant == "_TYPECODE" and n == 0:
        return  # the types of bytes tell enough
    assert n == 1
    source.write_text(moved)
    module = install(native_board, name, "workshop")
    assert module.source == "workshop plain"
    assert "arrays are kept in another way in this firmware" in module.notes[0]
    with pytest.raises(ModuleError, match="source='plain'"):
        install(native_board, name, "native")


def test_no_room(own_board):
    board = own_board(flash_size_bytes=64 * 1024)
    free = board.info.flash_free_bytes
    board.put(b"\0" * (free - 5 * 4096), "/filler.bin")
    with pytest.raises(ModuleError, match="flash") as caught:
        install(board, NAME)
    assert caught.value.data["missing_bytes"] > 0


def test_no_memory(own_board):
    board = own_board(heap_size_bytes=64 * 1024)
    board.exec("import gc\nhog = []\ntry:\n while 1: hog.append(bytearray(64))\nexcept: pass")
    with pytest.raises(ModuleError):
        install(board, NAME)
    board.soft_reset()
    assert install(board, NAME).path == PATH


def test_wrong_names(board):
    with pytest.raises(ModuleError, match=NAME):
        install(board, "nonsense")
    with pytest.raises(ModuleError, match="auto, official, workshop, native, plain"):
        install(board, NAME, "homemade")
