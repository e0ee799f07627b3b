"""The flash that every scenario starts from, and the files that its operations leave behind."""

from __future__ import annotations

import io
import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workshop_helpers import datasets
from workshop_helpers.board import Board
from workshop_helpers.board.info import BoardInfo
from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.features import FeatureSet, motion_features
from workshop_helpers.model import DeviceModel, convert
from workshop_helpers.model.deploy import closure, example_recordings
from workshop_helpers.modules.arch import BUILT_ARCHES
from workshop_helpers.modules.build import build
from workshop_helpers.paths import DEVICE_SCRIPTS

if TYPE_CHECKING:
    from .operations import Operation

APP = "soak_app"
FACTS, ROWS = "ground.json", "rows.npy"
DEVICE = Path(__file__).parents[1] / "device"
FLASH_BYTES = 512 * 1024
Versions = dict[str, set[str]]
"""Path on the board -> the SHA-256 that its file may have; none of them: it must not be there."""


class Ground:
    """What `make_ground` made in a folder.

    old, new: content of files that are there, and that are put.
    info: what a healthy board says of itself.
    states: what all files are at first (""), and after each operation that changes some.
    """

    def __init__(self, folder: Path, info: BoardInfo, states: dict[str, dict[str, str]]) -> None:
        self._folder, self.info, self.states = folder, info, states
        chance = random.Random(20)
        self.old = {
            "/data/old.bin": chance.randbytes(6000),
            "/data/keep.txt": b"keep this\n" * 20,
            "/data/sub/deep.txt": b"deep\n",
        }
        self.new = {
            "/data/new.bin": chance.randbytes(9000),
            "/data/old.bin": chance.randbytes(7000),
            "/a/b/c.txt": b"new, in new folders\n" * 10,
        }

    @staticmethod
    def load(folder: Path) -> Ground:
        facts = json.loads((folder / FACTS).read_text())
        return Ground(folder, BoardInfo(**facts["info"]), facts["states"])

    @property
    def image(self) -> Path:
        return self._folder / "flash"

    def model(self, which: str) -> DeviceModel:
        return DeviceModel.load(self._folder / which)

    @property
    def rows(self) -> Any:
        """FeatureSet [12, n] for the models."""
        return np.load(self._folder / ROWS)

    @property
    def replayed(self) -> Any:
        """What the replay sensor gives again and again, int16 [n, channels]."""
        return np.load(io.BytesIO(example_recordings()["/recordings/walking.npy"]))

    def versions(self, after: str) -> Versions:
        """What may be there once an operation succeeded; "" for none that changes files."""
        state = {path: {sha} for path, sha in self.states[after].items()}
        for path in state:
            name = path.removeprefix("/lib/").removesuffix(".mpy")
            if path.endswith(".mpy"):  # a board that takes no native code gets the plain twin
                state[path].add(build(name, None).sha256)
        return state

    def between(self, after: str) -> Versions:
        """What may be there when it failed: of each file the old or the new version.

        Of a module any build that is whole: a board that claims another architecture is sent the
        build for that before the plain twin.
        """
        old, new = self.versions(""), self.versions(after)
        found = {path: old.get(path, set()) | new.get(path, set()) for path in {*old, *new}}
        for path in found:
            if path.endswith(".mpy"):
                name = path.removeprefix("/lib/").removesuffix(".mpy")
                found[path] |= {build(name, arch).sha256 for arch in BUILT_ARCHES}
        return found

    def may_be_missing(self, after: str) -> set[str]:
        """Files that need not be there when it failed."""
        old, new = self.versions(""), self.versions(after)
        gone = {path for path in {*old, *new} if path not in old or path not in new}
        changed = {path for path in {*old, *new} if old.get(path) != new.get(path)}
        # `deploy` withdraws the description of a model before it replaces its data.
        return gone | {path for path in changed if path.endswith("model.json")}


def files_of(board: Board) -> dict[str, str]:
    """Path -> SHA-256 of all files on a healthy board."""
    answer = json.loads(board.exec((DEVICE / "all_files.py").read_text(), timeout_s=30.0))
    return {str(path): str(sha) for path, sha in answer.items()}


def make_ground(folder: Path) -> None:
    """Prepare the flash and everything that is compared with."""
    from .operations import OPERATIONS

    folder.mkdir(parents=True, exist_ok=True)
    train = motion_features(datasets.load("basic_motions").part("train"))
    np.save(folder / ROWS, train.X[:12])
    for which, seed in (("old", 1), ("new", 2)):
        _model(train, seed).save(folder / which)
    info = _info()
    ground = Ground(folder, info, {})
    app = DEVICE / f"{APP}.py"
    virtual = VirtualBoard(flash=ground.image, flash_size_bytes=FLASH_BYTES)
    with virtual, Board(virtual.start().port) as board:
        board.deploy(ground.model("old"), app="har_live", sensor="replay")
        for source in (app, DEVICE_SCRIPTS / "apps" / "recorder.py"):
            for path, file in {**closure(source), f"/{source.name}": source}.items():
                board.put(file, path)
        for path, data in ground.old.items():
            board.put(data, path)
        states = {"": files_of(board)}

    def state_after(operation: Operation) -> dict[str, str]:
        copy = shutil.copyfile(ground.image, folder / operation.name.replace(" ", "_"))
        with VirtualBoard(flash=copy) as virtual, Board(virtual.port) as board:
            operation.run(board, ground, random.Random(0))
            found = files_of(board)
        copy.unlink()
        return found

    changing = [operation for operation in OPERATIONS.values() if operation.changes_files]
    with ThreadPoolExecutor(4) as pool:  # most of it is waiting
        states |= dict(
            zip((it.after for it in changing), pool.map(state_after, changing), strict=True)
        )
    (folder / FACTS).write_text(json.dumps({"info": vars(info), "states": states}))


def _info() -> BoardInfo:
    with VirtualBoard(flash_size_bytes=FLASH_BYTES) as virtual, Board(virtual.port) as board:
        return board.info


def _model(train: FeatureSet, seed: int) -> DeviceModel:
    """Two models of one name, to replace one with the other."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(8, min_samples_leaf=2, random_state=seed).fit(train.X, train.y)
    return convert(forest, train.X, features=train.names, name="small", metadata=train.metadata())
