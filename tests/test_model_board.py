"""The whole way on real MicroPython: every row of a model runs on the board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_cases import DATA, build
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier

from workshop_helpers.board import Board
from workshop_helpers.errors import DeviceError, ModelError, ModelFileError
from workshop_helpers.model import DeviceModel, convert, measure, verify
from workshop_helpers.model.session import DeviceSession

CRUMBS = Path(__file__).parent / "device" / "crumbs.py"
N_RANDOM = 4  # cases for each kind of data, task and voting


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray, RandomForestClassifier]:
    X, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(10, max_leaf_nodes=60, random_state=1)
    return X, y, forest.fit(X[:1200], y[:1200])


@pytest.mark.parametrize("data", DATA)
def test_random_models_agree_bit_by_bit(board: Board, data: str) -> None:
    for seed in range(N_RANDOM):
        for task, voting in (
            ("classification", "hard"),
            ("classification", "soft"),
            ("regression", "auto"),
        ):
            case = build(seed * 7 + len(data), task, data)
            model = convert(case.estimator, case.X, voting=voting)  # type: ignore[arg-type]
            report = verify(model, case.X_test, board)
            assert report.host_matches_device, (seed, task, voting, report)
            assert report.file_matches
            assert report.rows == len(case.X_test)
            report.raise_if_unexplained()
            if case.is_exact and task == "regression":
                assert report.agreement == 1.0


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_all_digits(board: Board, digits: tuple[np.ndarray, np.ndarray, Any], voting: Any) -> None:
    X, y, forest = digits
    seen: list[tuple[int, int]] = []
    model = convert(forest, X[:1200], voting=voting, name="digits")
    report = verify(model, X, board, y=y, progress=lambda done, total: seen.append((done, total)))
    assert report.host_matches_device
    assert report.largest_difference == 0 or board.info.float_bits == 32
    assert seen[-1] == (1797, 1797)
    assert len(seen) > 1
    assert report.module
    if voting == "soft":
        assert report.agreement == 1.0
        assert report.accuracy_device == report.accuracy_sklearn > 0.9
    else:
        assert set(report.causes) <= {"hard voting", "tied vote"}


def test_regression(board: Board) -> None:
    X, y = load_diabetes(return_X_y=True, scaled=False)
    forest = RandomForestRegressor(10, max_depth=6, random_state=0).fit(X, y)
    report = verify(convert(forest, X), X, board, y=y)
    assert report.host_matches_device
    assert report.accuracy_device == pytest.approx(report.accuracy_sklearn, abs=1e-3)


def test_a_loaded_model_is_compared_with_the_host_reference(board: Board, tmp_path: Any) -> None:
    case = build(3, "classification", "floats")
    model = DeviceModel.load(convert(case.estimator, case.X).save(tmp_path))
    report = verify(model, case.X_test, board)
    assert (report.reference, report.agreement) == ("host reference", 1.0)
    assert report.device == board.info.name


def test_the_wrong_file_on_the_device(
    board: Board, digits: tuple[np.ndarray, np.ndarray, Any]
) -> None:
    X, y, forest = digits
    model = convert(forest, X[:1200], name="wrong")
    verify(model, X[:5], board)
    other = RandomForestClassifier(3, max_depth=2, random_state=0).fit(X, y)
    report = verify(convert(other, X, name="wrong"), X[:50], board, deploy=False)
    assert report.file_matches is False
    assert report.host_matches_device is False
    assert set(report.causes) == {"wrong file on the device"}
    assert verify(model, X[:50], board, deploy=False).file_matches
    small = convert(DecisionTreeClassifier().fit(X[:, :3], y), X[:, :3], name="wrong")
    with pytest.raises(ModelFileError, match="Wrong file on the device"):
        verify(small, X[:50, :3], board, deploy=False)
    assert verify(small, X[:50, :3], board).host_matches_device


def test_a_json_of_another_model_is_refused_on_the_board(board: Board) -> None:
    case = build(3, "classification", "floats")
    model = convert(case.estimator, case.X, name="halves")
    verify(model, case.X, board)
    board.put(model.csv + b"\n", "/models/halves/model.csv")
    with pytest.raises(DeviceError, match="deploy it again"):
        verify(model, case.X, board, deploy=False)


def test_measure(board: Board, digits: tuple[np.ndarray, np.ndarray, Any]) -> None:
    X, _, forest = digits
    model = convert(forest, X[:1200], name="digits")
    cost = measure(model, board, X)
    assert cost.model_bytes == model.size_bytes
    assert cost.module_bytes >= 0
    assert cost.ram_bytes > 8 * len(model.forest.nodes)
    low, high = cost.us_spread
    assert 0 < low <= cost.us_per_inference <= high
    assert cost.repeats + cost.rejected == 80
    assert cost.load_ms > 0
    assert "µs" in repr(cost)
    assert "<table>" in cost._repr_html_()


def test_the_store_on_the_board(board: Board, digits: tuple[np.ndarray, np.ndarray, Any]) -> None:
    X, _, forest = digits
    model = convert(forest, X[:1200], name="digits")
    verify(model, X[:1], board)
    board.soft_reset()
    board.exec("import model_store, array\nm = model_store.load('/models/digits')\n")
    row = model.quantise(X[:1])[0].tolist()
    assert board.eval(f"m.predict(array.array('h', {row}))") == model.predict(X[:1])[0]
    assert board.eval("list(m.outputs)") == model.outputs(X[:1])[0].tolist()
    assert board.eval("m.classes") == list(range(10))
    assert board.eval("m.meta['voting']") == "soft"
    for wrong in ("array.array('f', [0.5] * 64)", "array.array('H', [0] * 64)", "[0] * 64"):
        with pytest.raises(DeviceError, match="TypeError"):
            board.exec(f"m.run({wrong})")
    with pytest.raises(DeviceError, match="64 features, not 63"):
        board.exec("m.run(array.array('h', [0] * 63))")


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_run_and_predict_allocate_nothing(
    board: Board, digits: tuple[np.ndarray, np.ndarray, Any], voting: Any
) -> None:
    X, _, forest = digits
    model = convert(forest, X[:1200], voting=voting, name=voting)
    verify(model, X[:1], board)
    for call in ("run", "predict"):
        board.soft_reset()
        code = (
            "import gc, array, model_store\n"
            f"m = model_store.load('/models/{voting}')\n"
            "x = array.array('h', bytes(128))\n"
            f"def f(call):\n call(x); a = gc.mem_alloc()\n for _ in range(20): call(x)\n"
            " return gc.mem_alloc() - a\n"
            f"print(f(m.{call}))"
        )
        assert board.exec(code).strip() == "0"


def test_a_small_heap_gets_small_blocks(
    own_board: Any, digits: tuple[np.ndarray, np.ndarray, Any]
) -> None:
    X, y, _ = digits
    forest = RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, y)
    small = own_board(heap_size_bytes=64 * 1024)
    seen: list[int] = []
    report = verify(convert(forest, X), X[:60], small, progress=lambda done, _: seen.append(done))
    assert report.host_matches_device
    assert seen[-1] == 60


def test_a_heap_in_crumbs_gets_smaller_blocks(
    board: Board, digits: tuple[np.ndarray, np.ndarray, Any]
) -> None:
    X, _, forest = digits
    model = convert(forest, X[:1200], name="digits")
    verify(model, X[:200], board)
    session = DeviceSession(board, model, deploy=False)
    board.put(CRUMBS, "/lib/")
    try:
        session.open()
        board.call("crumbs.fill")
        blocks: list[int] = []
        before = session.rows_per_block
        outputs, _ = session.run(model.quantise(X[:200]), lambda done, total: blocks.append(done))
        assert session.rows_per_block < before and blocks[-1] == 200
        assert (outputs == model.host.outputs(model.quantise(X[:200]))).all()
    finally:
        board.rm("/lib/crumbs.py")


def test_a_changed_device_answer_would_be_seen(
    board: Board, digits: tuple[np.ndarray, np.ndarray, Any]
) -> None:
    """The comparison itself: a host reference that is off by one ulp must be noticed."""
    X, _, forest = digits
    model = convert(forest, X[:1200], name="digits")
    odd = replace(model)
    odd.__dict__["host"] = _Shifted(model.forest)
    report = verify(odd, X[:20], board)
    assert report.host_matches_device is False or board.info.float_bits == 32
    if board.info.float_bits == 64:
        with pytest.raises(ModelError, match="apart"):
            report.raise_if_unexplained()


class _Shifted:
    """A forest whose first output is one unit in the last place too large."""

    def __init__(self, forest: Any) -> None:
        self._forest = forest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forest, name)

    def outputs(self, values: np.ndarray) -> np.ndarray:
        out = self._forest.outputs(values).copy()
        out[0, 0] = np.nextafter(out[0, 0], np.float32(2))
        return out
