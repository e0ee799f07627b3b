"""A deployment with three planted bugs, for notebook 07. Nothing here is how one should do it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import datasets
from ..errors import DeviceError
from ..features import FeatureSet, motion_features
from ..model import DeviceModel, convert

if TYPE_CHECKING:
    from ..board import Board

WINDOW, HOP = 20, 5
_WRONG_HOP = 10
_WRONG_GAIN = 0.5  # the sensor was set to twice the range: its counts are half as large
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Trial:
    """What one run of the app on the board gave: predictions, or why it refused."""

    predictions: int = 0
    right: int = 0
    refusal: str = ""

    @property
    def accuracy(self) -> float | None:
        """Share of right predictions; None if there were none."""
        return self.right / self.predictions if self.predictions else None

    def __repr__(self) -> str:
        if self.refusal:
            return f"<the app refused to start: {self.refusal}>"
        if self.accuracy is None:
            return "<the app ran and predicted nothing>"
        return f"<{self.right} of {self.predictions} predictions right ({self.accuracy:.0%})>"

    def _repr_html_(self) -> str:
        return f"<b>{html.escape(repr(self)[1:-1])}</b>"


@dataclass(frozen=True, repr=False)
class Deployment:
    """A colleague's work: a good model, and a board that does not do what the model can.

    Args:
        model: the model they meant to deploy; it is good.
        train, test: the windows it was trained on, and those kept apart.
        settings: what the app is started with.
        recorded: what the sensor delivered, int16 [n_recordings, n_samples, n_channels], and
            `training`, the recordings of the training, likewise; both in sensor counts.
    """

    board: Board
    model: DeviceModel
    train: FeatureSet
    test: FeatureSet
    settings: dict[str, Any]
    recorded: NDArray[np.int16]
    training: NDArray[np.int16]
    labels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Deployment of {self.model!r}: app har_live, settings {self.settings}>"

    def try_out(self, *, gain: float = 1.0, **settings: Any) -> Trial:
        """Run the app on the recorded signals; `settings` go over the deployment's own.

        `gain` multiplies the sensor's counts first. Raises BoardError if the board fails.
        """
        scaled = np.clip(self.recorded * float(gain), -32768, 32767).astype(np.int16)
        files = {}
        for label, rows in zip(self.labels, scaled, strict=True):
            files[f"/recordings/{label.lower()}.npy"] = datasets.to_npy(rows)
        for path, data in files.items():
            self.board.put(data, path)
        wanted = {**self.settings, **settings, "recordings": list(files)}
        try:
            with self.board.stream("har_live", **wanted) as stream:
                found = list(stream.records(seconds=_TIMEOUT_S, kind="prediction"))
        except DeviceError as error:
            lines = (error.device_traceback or error.what).strip().splitlines()
            return Trial(refusal=lines[-1].partition(": ")[2] or lines[-1])
        right = sum(record["label"] == record.get("truth") for record in found)
        return Trial(len(found), right)


def broken_deployment(board: Board) -> Deployment:
    """Deploy a model of human activity with three bugs; which, is the learner's to find out."""
    from sklearn.ensemble import RandomForestClassifier

    data = datasets.load("basic_motions")
    train, test = data.part("train"), data.part("test")
    train_set, test_set = motion_features(train, WINDOW, HOP), motion_features(test, WINDOW, HOP)
    forest = RandomForestClassifier(20, min_samples_leaf=2, random_state=1)
    model = _convert(forest.fit(train_set.X, train_set.y), train_set)

    # An experiment of last week is still on the board: its channels came in another order.
    shuffled = train_set.X[:, ::-1]
    old = RandomForestClassifier(20, min_samples_leaf=2, random_state=2)
    board.deploy(_convert(old.fit(shuffled, train_set.y), train_set), app="har_live")

    first = [test.labels.tolist().index(label) for label in test.classes]
    recorded = np.floor(test.samples[first] * _WRONG_GAIN).astype(np.int16)
    settings = {"model": f"/models/{model.name}", "speed": 0, "loop": False, "block": 0}
    settings |= {"window": WINDOW, "hop": _WRONG_HOP}
    return Deployment(
        board=board,
        model=model,
        train=train_set,
        test=test_set,
        settings=settings,
        recorded=recorded,
        training=train.samples,
        labels=test.classes,
    )


def _convert(forest: Any, train: FeatureSet) -> DeviceModel:
    return convert(forest, train.X, features=train.names, name="watch", metadata=train.metadata())
