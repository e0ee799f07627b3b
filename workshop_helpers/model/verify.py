"""scikit-learn against the board, every row, with a cause for each difference."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import FeatureError, ModelError
from . import causes, features
from .answers import Answers, OnBoard, truth_of
from .device_model import DeviceModel
from .progress import ProgressOption, row_progress
from .report import VerifyReport, WorstRow
from .session import DeviceSession

if TYPE_CHECKING:
    from ..board import Board

_WORST_ROWS = 10
_SINGLE_ROUNDING = 2.0**-21  # of a share, where a port keeps 22 bits of a float


def verify(
    model: DeviceModel,
    X: Any,
    board: Board | None = None,
    *,
    estimator: Any = None,
    y: Any = None,
    deploy: bool = True,
    progress: ProgressOption = False,
) -> VerifyReport:
    """Run every row of X on the board and compare with scikit-learn.

    Args:
        model: from convert or DeviceModel.load.
        X: [n, n_features], in the units of the training.
        board: where it runs; None compares the host reference with scikit-learn.
        estimator: scikit-learn's side; else the one the model was converted from. Without any
            (a loaded model) the board is compared with the host reference.
        y: true labels or values [n], for `accuracy_sklearn` and `accuracy_device`.
        deploy: False checks the model that is on the board under /models/<name>, whatever it is.
        progress: True for a bar, or a function of (done_rows, total_rows).

    Raises:
        FeatureError: X or y has a wrong shape, NaN, or is not scaled as in the training.
        ModelFileError: the model on the board (deploy=False) has other features or outputs.
        ModelError: neither a board nor an estimator to compare with, or one that this model can't
            be of.
        BoardError: whatever goes wrong on the board.
    """
    source = estimator if estimator is not None else model.estimator
    if source is None and board is None:
        raise ModelError(
            "There is nothing to compare with: the model was loaded without its estimator.",
            "Pass board=..., or estimator=....",
        )
    if source is not None:
        _check_source(model, source)
    features.check_columns(X, source)
    raw = features.as_rows(X, len(model.features))
    if not len(raw):
        raise FeatureError("X has no rows.", "Pass the test rows: X_test.")
    features.refuse_unscaled_input(raw, model.scale)
    rows = causes.Rows(raw, *features.quantise(raw, model.scale))
    host = model.host.outputs(rows.values)
    on_board = _run_on(board, model, rows.values, host, deploy, progress)
    answers = Answers(model, source, X, host, on_board)
    truth = None if y is None else truth_of(model, source, y, len(raw))
    named = _causes(answers, rows, source)
    return VerifyReport(
        model=model.name,
        rows=len(raw),
        matches=len(raw) - len(named),
        mismatches=len(named),
        causes=dict(Counter(named.values()).most_common()),
        worst=_worst(answers, named),
        reference="host reference" if source is None else "scikit-learn",
        device=on_board.name,
        module=on_board.module,
        host_matches_device=None if board is None else not on_board.differs.any(),
        largest_difference=on_board.largest_difference,
        tolerance=on_board.tolerance,
        file_matches=on_board.file_matches,
        accuracy_sklearn=None if truth is None else answers.score(answers.expected, truth),
        accuracy_device=None if truth is None else answers.score(answers.device, truth),
        largest_error=float(answers.distance().max()) if answers.is_regression else None,
        device_labels=answers.labels(),
    )


def _check_source(model: DeviceModel, estimator: Any) -> None:
    """ModelError for an estimator of another kind, task or width, or one that is not fitted."""
    from sklearn.base import is_classifier, is_regressor

    of_kind = model.runs_as.reads(estimator)
    wrong_task = is_classifier if model.task == "regression" else is_regressor
    width = model.runs_as.read(estimator).n_features if of_kind else 0
    if width != len(model.features) or wrong_task(estimator):
        name = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
        raise ModelError(
            f"This {name} is not what a model of kind {model.kind!r} for {model.task} with "
            f"{len(model.features)} features was converted from.",
            "Pass the estimator that was given to convert, as it was then.",
        )


def _run_on(
    board: Board | None,
    model: DeviceModel,
    values: npt.NDArray[np.int16],
    host: npt.NDArray[np.float32],
    deploy: bool,
    progress: ProgressOption,
) -> OnBoard:
    """Run the rows on the board, if there is one, and compare with the host reference."""
    if board is None:
        return OnBoard(host, model.winners(host), np.zeros(len(values), dtype=bool))
    session = DeviceSession(board, model, deploy=deploy)
    file_matches = session.file_matches()
    session.open()
    with row_progress(progress, f"verify {model.name}") as step:
        outputs, answers = session.run(values, step)
    session.close()
    single = board.info.float_bits == 32
    tolerance = 0.0
    if single and not model.runs_as.bits_exact:
        tolerance = float(model.metadata.get("error_bound_single", _SINGLE_ROUNDING))
    distance = np.abs(outputs.astype(np.float64) - host)
    # Bits, not values: -0.0 and NaN must not pass for what they are not.
    same = (outputs.view(np.int32) == host.view(np.int32)) | (single & (distance <= tolerance))
    differs = ~same.all(axis=1)
    if model.task == "classification":
        differs |= answers != model.winners(outputs)
    return OnBoard(
        outputs,
        answers,
        differs,
        name=board.info.name,
        module=session.module.source,
        largest_difference=float(distance.max()),
        tolerance=tolerance,
        file_matches=file_matches,
        single=single,
    )


def _causes(answers: Answers, rows: causes.Rows, estimator: Any) -> dict[int, str]:
    """The rows that differ, each with its cause."""
    model, on_board = answers.model, answers.on_board
    which = np.flatnonzero(~(answers.distance() <= answers.bound()))  # NaN is far away
    if not len(which):
        return {}
    named: dict[int, str] = {}
    for row in which[on_board.differs[which]].tolist():
        named[row] = causes.UNEXPLAINED if on_board.file_matches else causes.WRONG_FILE
    rest = np.array([row for row in which.tolist() if row not in named], dtype=np.int64)
    if not len(rest):
        return named
    found = model.runs_as.causes(answers, rows, estimator, rest)
    return named | dict(zip(rest.tolist(), found, strict=True))


def _worst(answers: Answers, named: dict[int, str]) -> tuple[WorstRow, ...]:
    gaps = sorted(((answers.gap(row), row) for row in named), key=lambda pair: -pair[0])
    return tuple(
        WorstRow(
            row,
            answers.shown(answers.expected, row),
            answers.shown(answers.device, row),
            gap,
            named[row],
        )
        for gap, row in gaps[:_WORST_ROWS]
    )
