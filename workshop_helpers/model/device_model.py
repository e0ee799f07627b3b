"""A model as a board holds it: one data file, what it means, and a host reference for it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import ModelError, ModelFileError
from ..files import write_whole
from ..text import counted
from . import features as feature_rules
from . import kinds
from .tables import table_html
from .treefile import Forest

FORMAT = 1


@dataclass(frozen=True, eq=False, repr=False)
class DeviceModel:
    """What convert returns and a board runs.

    Args:
        name: folder name on the board, letters, digits, `_` and `-`.
        data: the data file: model.csv for trees, model.bin for the others.
        task: "classification" or "regression".
        features: names, in the order of the columns.
        classes: labels, in the order of the outputs; empty for regression.
        scale: one factor a feature; the board is given floor(x * scale) as int16.
        voting: trees only: "hard", "soft", or "mean" (regression).
        metadata: JSON values that travel with the model: what convert found
            (`official_compatible`, `error_bound`, ...) and yours (rate_hz, window, units, ...).
        kind, module: how it runs on a board, and the native module that does it.
        estimator: the source, kept in memory only; None for a loaded model.
    """

    name: str
    data: bytes
    task: str
    features: tuple[str, ...]
    classes: tuple[Any, ...]
    scale: tuple[float, ...]
    voting: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    kind: str = "trees"
    module: str = "emlearn_trees"
    estimator: Any = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", self.name):
            raise ModelError(
                f"{self.name!r} can't be a model's name.",
                "Use 1 to 32 letters, digits, '_' or '-': it becomes a folder on the board.",
            )
        if len(self.features) != len(self.scale):
            raise ModelFileError(f"{len(self.features)} features, {len(self.scale)} scales.")

    @cached_property
    def host(self) -> kinds.HostModel:
        """The file, parsed; ModelFileError if it is damaged or is not this model's."""
        host = self.runs_as.parse(self.data)
        outputs = len(self.classes) or 1
        one_score = (len(self.classes), host.n_outputs) == (2, 1)
        if host.n_features != len(self.features) or not (one_score or host.n_outputs == outputs):
            raise ModelFileError(f"{self.file} and model.json are of different models.", _AGAIN)
        return host

    @property
    def runs_as(self) -> kinds.Kind:
        return kinds.get(self.kind)

    @property
    def forest(self) -> Forest:
        """The parsed trees; ModelError for a model of another kind."""
        host = self.host
        if self.kind != "trees":
            raise ModelError(f"A model of kind {self.kind!r} has no trees.", "Use model.host.")
        return cast(Forest, host)

    @property
    def csv(self) -> bytes:
        """The data file of a model of trees."""
        return self.data

    @property
    def file(self) -> str:
        """The data file's name."""
        return self.runs_as.file

    @property
    def size_bytes(self) -> int:
        """Size of the data file."""
        return len(self.data)

    @property
    def sha256(self) -> str:
        """SHA-256 of the data file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def files(self) -> dict[str, bytes]:
        """The data file and model.json, as saved and as deployed."""
        return {self.file: self.data, "model.json": self._json()}

    def quantise(self, X: Any) -> npt.NDArray[np.int16]:
        """[n, n_features] in the units of the training -> int16, what the board is given.

        Values beyond int16 are clipped. FeatureError for a wrong width, NaN, unscaled floats.
        """
        feature_rules.check_columns(X, self.estimator)
        rows = feature_rules.as_rows(X, len(self.features))
        feature_rules.refuse_unscaled_input(rows, self.scale)
        return feature_rules.quantise(rows, self.scale)[0]

    def outputs(self, X: Any) -> npt.NDArray[np.float32]:
        """What the board computes, from the file alone: float32 [n, n_classes] or [n, 1]."""
        return self.host.outputs(self.quantise(X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Labels [n] (the first of equals wins) or values float32 [n], as on the board."""
        outputs = self.outputs(X)
        if self.task == "regression":
            return outputs[:, 0]
        labels: npt.NDArray[Any] = np.asarray(self.classes)[self.winners(outputs)]
        return labels

    def winners(self, outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """float32 [n, n_outputs] -> class indices int64 [n], as the board decides."""
        if outputs.shape[1] == 1 and len(self.classes) == 2:
            return (outputs[:, 0] >= 0).astype(np.int64)
        first: npt.NDArray[np.int64] = outputs.argmax(axis=1).astype(np.int64)
        return first

    def save(self, folder: Path | str) -> Path:
        """Write the data file and model.json into `folder` (made if missing); each whole or not.

        ModelError if it can't be written.
        """
        target = Path(folder)
        try:
            for name, data in self.files.items():
                write_whole(target / name, data)
        except OSError as error:
            raise ModelError(
                f"{self.name} can't be saved in {target}: {error.strerror or error}.",
                "Name a folder that you may write, with room on its disk.",
            ) from error
        return target

    @classmethod
    def load(cls, folder: Path | str) -> DeviceModel:
        """Read a saved model; ModelFileError if a file is missing, damaged, or of another model."""
        try:
            meta = json.loads((Path(folder) / "model.json").read_bytes())
            name = kinds.get(meta["kind"]).file
            data = (Path(folder) / name).read_bytes()
        except OSError as error:
            raise ModelFileError(f"{error.filename} can't be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ModelFileError(f"model.json is damaged: {error}.", _AGAIN) from None
        model = _from_json(meta, data)
        if model.sha256 != meta.get("sha256"):
            raise ModelFileError(f"{name} is not the file that model.json describes.", _AGAIN)
        _ = model.host
        return model

    def _json(self) -> bytes:
        """Small, for a board reads it: a name list or scale that says nothing new is one value."""
        default_names = self.features == tuple(f"f{i}" for i in range(len(self.features)))
        same_scale = len(set(self.scale)) == 1
        meta: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind,
            "task": self.task,
            "module": self.module,
            "n_features": len(self.features),
            "n_outputs": self.host.n_outputs,
            "features": None if default_names else self.features,
            "classes": self.classes,
            "scale": self.scale[0] if same_scale else self.scale,
            "voting": self.voting,
            "file": self.file,
            "capacities": self.host.capacities,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "metadata": self.metadata,
        }
        try:
            return json.dumps(meta, allow_nan=False, separators=(",", ":")).encode("ascii")
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"The metadata is not JSON: {error}.", "Use text, finite numbers, lists, dicts."
            ) from None

    def __repr__(self) -> str:
        shape = f"{counted(len(self.features), 'feature')} -> "
        shape += f"{len(self.classes)} classes" if self.classes else "1 value"
        voting = f", {self.voting}" if self.voting else ""
        return (
            f"DeviceModel({self.name!r}: {self.host.describe()}, {shape}{voting}, "
            f"{self.size_bytes} B)"
        )

    def _repr_html_(self) -> str:
        scales = sorted(set(self.scale))
        more = "…" if len(self.features) > 4 else ""
        rows = {
            "task": self.task,
            self.kind: self.host.describe(),
            "features": f"{len(self.features)} ({', '.join(self.features[:4])}{more})",
            "classes": ", ".join(map(str, self.classes[:12])) or "—",
            "voting": self.voting or "—",
            "scale": f"{scales[0]:g}" if len(scales) == 1 else f"{scales[0]:g} … {scales[-1]:g}",
            "file": f"{self.size_bytes:,} bytes",
        }
        return table_html(f"DeviceModel {self.name}", ["", ""], rows.items())


def _from_json(meta: Any, data: bytes) -> DeviceModel:
    try:
        n = int(meta["n_features"])
        if meta["format"] != FORMAT:
            raise ModelFileError(f"model.json has format {meta['format']}, not {FORMAT}.", _AGAIN)
        if meta["module"] != kinds.get(meta["kind"]).module:
            raise ModelFileError(f"model.json names the module {meta['module']!r}.", _AGAIN)
        names, scale = meta["features"], meta["scale"]
        return DeviceModel(
            name=meta["name"],
            data=data,
            task=meta["task"],
            features=tuple(names) if names is not None else tuple(f"f{i}" for i in range(n)),
            classes=tuple(meta["classes"]),
            scale=tuple(scale) if isinstance(scale, list) else (float(scale),) * n,
            voting=meta["voting"],
            metadata=dict(meta["metadata"]),
            kind=meta["kind"],
            module=meta["module"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"model.json lacks or garbles {error}.", _AGAIN) from None
    except ModelError as error:
        raise ModelFileError(f"model.json is damaged: {error.what}", _AGAIN) from None


_AGAIN = "Save the model again with model.save(folder)."
