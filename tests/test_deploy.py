"""What a deploy sends, in which order, and that it is safe to break off."""

from __future__ import annotations

import ast
import json

import pytest

from workshop_helpers.errors import FileError, StreamError, TransferError, WorkshopError
from workshop_helpers.model import deploy as deploy_module
from workshop_helpers.model.deploy import app_defaults, closure, deploy, read_deployed
from workshop_helpers.model.session import DeviceSession
from workshop_helpers.paths import DEVICE_SCRIPTS

APPS = sorted((DEVICE_SCRIPTS / "apps").glob("*.py"))


def test_the_closure_is_what_is_imported_at_any_depth(tmp_path) -> None:
    source = tmp_path / "app.py"
    source.write_text("import time\nimport link\ndef f():\n    from sensors import replay\n")
    line = [f"/lib/{name}.py" for name in ("line", "line_plain", "line_viper", "link")]
    assert sorted(closure(source)) == [*line, "/lib/sensors/replay.py"]


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.stem)
def test_every_import_of_an_app_is_known(path) -> None:
    """Ours, a native module, or MicroPython's own: nothing that only a laptop has."""
    builtin = {
        "array", "binascii", "builtins", "collections", "errno", "gc", "hashlib", "io", "json",
        "machine", "math", "micropython", "network", "os", "random", "re", "select", "socket",
        "struct", "sys", "time", "uctypes",
    }  # fmt: skip
    files = [path, *closure(path).values()]
    ours = {file.stem for file in files}
    native = set(deploy_module._modules(files, None))
    for file in files:
        tops = {name.split(".")[0] for name in deploy_module._imports(file)}
        assert tops <= ours | native | builtin | {"sensors"}, file


def test_defaults_are_read_without_running_the_app() -> None:
    assert app_defaults("har_live")["sensor"] == "replay"


def test_unknown_apps_and_sensors_are_named() -> None:
    with pytest.raises(FileError, match="nothing_live"):
        app_defaults("nothing_live")
    with pytest.raises(FileError, match="telepathy"):
        deploy_module._sources("har_live", "telepathy")


def test_deploy_sends_model_json_last_and_skips_what_is_there(board, small_model) -> None:
    report = deploy(board, small_model, "har_live")
    order = [*report.sent, *report.skipped]
    assert report.total_bytes > 0
    for path in ("/har_live.py", "/lib/link.py", "/lib/sensors/replay.py", "/app.json"):
        assert board.exists(path) and path in order
    assert set(report.modules) == {"emlearn_trees"}

    again = deploy(board, small_model, "har_live")
    assert again.sent == () and again.sent_bytes == 0
    assert set(again.skipped) == set(order)
    assert again.skipped[-1] == f"/models/{small_model.name}/model.json"
    assert "0 files sent" in repr(again) and "<table>" in again._repr_html_()


@pytest.mark.parametrize("where", ["model.csv", "model.json"])
@pytest.mark.parametrize("bring", [lambda *it: deploy(*it, "har_live"), DeviceSession])
def test_a_deploy_that_breaks_off_leaves_no_model_to_start(
    board, small_model, monkeypatch, where, bring
) -> None:
    """A new file fails to arrive: the old model.json must not describe what is there."""
    deploy(board, small_model, "har_live")
    changed = type(small_model)(
        **{
            name: getattr(small_model, name)
            for name in ("name", "data", "task", "features", "classes", "scale", "voting")
        },
        metadata={**small_model.metadata, "hop": 1},
    )
    put = board.put

    def fails_at_the_model(data, path, **options):
        if path.endswith(where):
            raise WorkshopError("the cable was pulled")
        return put(data, path, **options)

    monkeypatch.setattr(board, "put", fails_at_the_model)
    with pytest.raises(WorkshopError, match="cable"):
        bring(board, changed)
    assert not board.exists(f"/models/{small_model.name}/model.json")
    monkeypatch.undo()
    bring(board, changed)
    on_board = json.loads(board.get(f"/models/{small_model.name}/model.json"))
    assert on_board["metadata"]["hop"] == 1


def test_settings_and_files_go_with_the_app(board, small_model) -> None:
    files = {"/recordings/running-x.npy": b"\x93NUMPY"}
    deploy(board, small_model, "har_live", files=files, seconds=3)
    name, config = read_deployed(board)
    assert name == "har_live"
    assert config["recordings"] == ["/recordings/running-x.npy"]
    assert (config["seconds"], config["model"]) == (3, f"/models/{small_model.name}")
    assert ast.literal_eval(repr(config)) == config
    assert read_deployed(board, "har_live")[1] == config


def test_a_stream_needs_something_deployed(own_board) -> None:
    board = own_board()
    with pytest.raises(StreamError, match="No app was deployed"):
        read_deployed(board)
    with pytest.raises(StreamError, match="not on the board"):
        read_deployed(board, "har_live")


def test_a_copy_that_failed_is_not_taken_for_nothing_deployed() -> None:
    class Garbling:
        def get(self, path):
            raise TransferError(f"The copy of {path} is garbled.")

    with pytest.raises(TransferError):
        read_deployed(Garbling())
