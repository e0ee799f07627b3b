"""Everything an app needs, onto the board: module, libraries, app, data, model."""

from __future__ import annotations

import ast
import errno
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError, StreamError
from ..modules import install_for
from ..modules.drivers import driver_mpy, drivers
from ..paths import DEVICE_SCRIPTS, NATIVE_MODULES
from ..text import counted

if TYPE_CHECKING:
    from ..board import Board
    from . import DeviceModel

# What was deployed last: {"app": ..., "config": {...}}. Streams and the autostart read it.
DEPLOYED = "/app.json"
Progress = bool | Callable[[int, int], None]


@dataclass(frozen=True)
class DeployReport:
    """What went to the board, in this order. Files that were already there are `skipped`."""

    sent: tuple[str, ...]
    skipped: tuple[str, ...]
    sent_bytes: int
    total_bytes: int
    modules: tuple[str, ...]
    app: str | None
    model: str | None

    def __repr__(self) -> str:
        return (
            f"<DeployReport: {counted(len(self.sent), 'file')} sent ({self.sent_bytes:,} bytes), "
            f"{len(self.skipped)} already there, modules: {', '.join(self.modules) or 'none'}>"
        )

    def _repr_html_(self) -> str:
        rows = [(path, "sent") for path in self.sent] + [(path, "there") for path in self.skipped]
        cells = "".join(
            f"<tr><td>{html.escape(path)}</td><td>{how}</td></tr>" for path, how in rows
        )
        return f"<p>{html.escape(repr(self)[1:-1])}</p><table>{cells}</table>"


def deploy(
    board: Board,
    model: DeviceModel | None = None,
    app: str | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    progress: Progress = False,
    **config: Any,
) -> DeployReport:
    """Bring a model, an app and all it imports onto the board; what is equal there is skipped.

    The order makes a broken-off deploy harmless: what others need goes first, and model.json,
    without which no app starts, goes last.

    Args:
        board: connected, at its prompt.
        model: goes to /models/<its name>/; its native module is installed as well.
        app: a name in device_scripts/apps; goes to /, what it imports to /lib.
        files: more files, path on the board -> content. Those that end in .npy are what the replay
            sensor plays; without any, it is given one test recording of each activity.
        progress: as for `Board.put`, for each file.
        config: settings for the app, used whenever it is started; `sensor="replay"` brings
            device_scripts/sensors/replay.py along.

    Raises:
        FileError: there is no such app or sensor.
        ModuleFetchError: the sensor needs a driver that can't be had.
        WorkshopError: what `Board.put` and `install` raise.
    """
    files = dict(files or {})
    if app:
        _complete(model, app, config, files)
    sources = _sources(app, config.get("sensor"))
    modules = _modules(sources.values(), model)
    for name in modules:
        # What an app imports is ours: its features were trained with the plain twin, to the bit.
        if model is not None and name == model.module:
            install_for(board, model)
        else:
            board.install(name, source="workshop")

    to_send = _drivers(sources.values())
    to_send.update({path: source.read_bytes() for path, source in sources.items()})
    to_send.update(files)
    if app:
        to_send[DEPLOYED] = json.dumps({"app": app, "config": config}).encode()
    folder = f"/models/{model.name}" if model else ""
    if model:
        to_send.update(_ready_for(board, model))

    sent: list[str] = []
    skipped: list[str] = []
    for path, data in to_send.items():
        report = board.put(data, path, progress=progress)
        (skipped if report.skipped else sent).append(path)
    return DeployReport(
        sent=tuple(sent),
        skipped=tuple(skipped),
        sent_bytes=sum(len(to_send[path]) for path in sent),
        total_bytes=sum(map(len, to_send.values())),
        modules=tuple(modules),
        app=app,
        model=folder or None,
    )


def read_deployed(board: Board, app: str | None = None) -> tuple[str, dict[str, Any]]:
    """Name and settings of the app deployed last; for another `app`, no settings.

    Raises:
        StreamError: nothing was deployed, or not this app.
        WorkshopError: what `Board.get` raises but for a file that is not there.
    """
    name, config = "", {}
    try:
        known = json.loads(board.get(DEPLOYED))
        name, config = str(known["app"]), dict(known["config"])
    except FileError as error:
        if error.data.get("errno") != errno.ENOENT:
            raise
    except (ValueError, KeyError, TypeError):  # not what a deploy wrote
        name, config = "", {}
    if app is not None and app != name:
        name, config = app, {}
    if not name or not name.isidentifier() or not board.exists(f"/{name}.py"):
        raise StreamError(
            f"The app {name!r} is not on the board." if name else "No app was deployed yet.",
            "Deploy it first: board.deploy(model, app='har_live').",
        )
    return name, config


def closure(source: Path) -> dict[str, Path]:
    """The files of device_scripts that a file imports, at any depth: path on the board -> file."""
    found: dict[str, Path] = {}
    todo = [source]
    while todo:
        for name in _imports(todo.pop()):
            path = _library(name)
            if path and path[0] not in found:
                found[path[0]] = path[1]
                todo.append(path[1])
    return found


def _sources(app: str | None, sensor: str | None) -> dict[str, Path]:
    """Path on the board -> file, libraries first and the app last."""
    if app is None:
        return {}
    main = _named("apps", app)
    sources = closure(main)
    if sensor:
        adapter = _named("sensors", sensor)
        sources |= closure(adapter) | {f"/lib/sensors/{sensor}.py": adapter}
    sources[f"/{app}.py"] = main
    return sources


def _named(folder: str, name: str) -> Path:
    path = DEVICE_SCRIPTS / folder / f"{name}.py"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.py"))
        raise FileError(
            f"There is no {name!r} in device_scripts/{folder}.",
            f"Choose one of: {', '.join(known)}.",
        )
    return path


def _imports(source: Path) -> set[str]:
    """Dotted names that a file imports, in functions as well."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"), str(source))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _library(name: str) -> tuple[str, Path] | None:
    """Where a name's file is and goes: `link`, `sensors.replay`; None if it is not ours."""
    relative = name.replace(".", "/") + ".py"
    folder = DEVICE_SCRIPTS if name.startswith("sensors.") else DEVICE_SCRIPTS / "lib"
    path = folder / relative
    return (f"/lib/{relative}", path) if path.is_file() else None


def _modules(sources: Any, model: DeviceModel | None) -> list[str]:
    """Native modules that these files import, and the model's."""
    names = {model.module} if model else set()
    for source in sources:
        names.update(n for n in _imports(source) if (NATIVE_MODULES / f"{n}_ref.py").is_file())
    return sorted(names)


def _drivers(sources: Any) -> dict[str, bytes]:
    """Drivers of others that these files import, compiled: path on the board -> bytes."""
    names = {name for source in sources for name in _imports(source)} & drivers().keys()
    return {f"/lib/{name}.mpy": driver_mpy(name) for name in sorted(names)}


def _complete(
    model: DeviceModel | None, app: str, config: dict[str, Any], files: dict[str, bytes]
) -> None:
    """Add what follows from the rest: the model's folder, the sensor, what to replay."""
    if model:
        config.setdefault("model", f"/models/{model.name}")
    config.setdefault("sensor", app_defaults(app).get("sensor"))
    if config["sensor"] != "replay" or "recordings" in config:
        return
    recordings = [path for path in files if path.endswith(".npy")]
    if not recordings:
        recorded = example_recordings()
        files.update(recorded)
        recordings = list(recorded)
    config["recordings"] = recordings


def example_recordings() -> dict[str, bytes]:
    """The first test recording of each class, as files for the replay sensor."""
    from .. import datasets

    return datasets.load("basic_motions").part("test").replay_files()


def app_defaults(app: str) -> dict[str, Any]:
    """The literal DEFAULTS of an app, read without running it; {} if it has none."""
    source = _named("apps", app)
    for node in ast.parse(source.read_text(encoding="utf-8"), str(source)).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "DEFAULTS" for target in node.targets
        ):
            return dict(ast.literal_eval(node.value))
    return {}


def put_model(board: Board, model: DeviceModel) -> None:
    """Only its files, to /models/<its name>/; broken off, it leaves no model.json of others."""
    for path, data in _ready_for(board, model).items():
        board.put(data, path)


def _ready_for(board: Board, model: DeviceModel) -> dict[str, bytes]:
    """Path on the board -> data, model.json last. One that is about to change is removed, so that
    no old one describes new files."""
    names = sorted(model.files, key=lambda name: name == "model.json")
    files = {f"/models/{model.name}/{name}": model.files[name] for name in names}
    path = f"/models/{model.name}/model.json"
    if board.exists(path) and board.get(path) != files[path]:
        board.rm(path)
    return files
