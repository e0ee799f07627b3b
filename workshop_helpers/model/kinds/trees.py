"""Decision trees and forests of them: model.csv, run by emlearn_trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .. import causes, ensembles, flatten
from .. import features as feature_rules
from ..treefile import Forest, parse
from .base import Converted, FloatArray, Kind, Options, refuse_weight_bits, scale_rule

if TYPE_CHECKING:
    from ..answers import Answers
    from ..device_model import DeviceModel

_OFFICIAL_LIMIT = 127  # int8 in the upstream C module: feature index, classes


class Trees(Kind):
    name = "trees"
    module = "emlearn_trees"
    file = "model.csv"
    supported = ensembles.SUPPORTED
    bits_exact = False  # regression's last step is done in the board's floats

    def reads(self, estimator: Any) -> bool:
        return ensembles.is_classifier(estimator) is not None

    def read(self, estimator: Any) -> ensembles.Ensemble:
        return ensembles.read(estimator)

    def convert(self, source: Any, rows: FloatArray, options: Options) -> Converted:
        ensemble = cast(ensembles.Ensemble, source)
        refuse_weight_bits(options)
        scales = feature_rules.choose_scale(
            rows, ensemble.largest_threshold(), options.scale, ensemble.used_features()
        )
        voting = _voting(ensemble, options.voting)
        metadata: dict[str, Any] = {"scale_rule": scale_rule(options.scale, scales)}
        if ensemble.classes is None:
            bounds = flatten.error_bounds(ensemble)
            metadata["error_bound"], metadata["error_bound_single"] = bounds
        data = flatten.flatten(ensemble, scales, voting)
        metadata["official_compatible"] = _official(parse(data), voting)
        task = "classification" if ensemble.classes else "regression"
        return Converted(data, task, scales, voting, metadata)

    def parse(self, data: bytes) -> Forest:
        return parse(data)

    def is_source(self, estimator: Any, model: DeviceModel) -> bool:
        ensemble = ensembles.read(estimator)
        return flatten.flatten(ensemble, model.scale, model.voting) == model.data

    def causes(
        self, answers: Answers, rows: causes.Rows, estimator: Any, which: npt.NDArray[np.int64]
    ) -> list[str]:
        model = answers.model
        if "shared_leaves" in model.metadata:
            return [causes.SHARED_LEAVES] * len(which)
        if not self.is_source(estimator, model):
            return [causes.OTHER_ESTIMATOR] * len(which)
        ensemble = ensembles.read(estimator)
        named: list[str] = []
        routing = causes.routing_causes(ensemble, model.scale, rows.take(which))
        for row, route in zip(which.tolist(), routing, strict=True):
            cause = route
            if not answers.is_regression:
                raw, expected = rows.raw[row : row + 1], answers.expected[row]
                cause = causes.voting_cause(ensemble, model.voting, raw, expected) or route
            named.append(cause or causes.UNEXPLAINED)
        return named


def _voting(ensemble: ensembles.Ensemble, voting: str) -> str:
    if voting not in ("auto", "hard", "soft"):
        raise ModelError(f"voting={voting!r} is unknown.", "Use 'auto', 'hard' or 'soft'.")
    if ensemble.classes is None:
        return "mean"
    if voting != "auto":
        return voting
    return "hard" if len(ensemble.trees) == 1 or ensemble.is_pure else "soft"


def _official(forest: Forest, voting: str) -> bool:
    """Whether the official emlearn module loads and runs this file to the same outputs."""
    return bool(
        voting == "hard"
        and max(forest.n_features, forest.n_outputs) <= _OFFICIAL_LIMIT
        and forest.roots.max() <= 32767
    )
