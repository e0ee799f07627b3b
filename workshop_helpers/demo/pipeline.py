"""The main job, step by step. Each step is one call that a notebook could make as well."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from .. import datasets
from ..board import Board, connect
from ..errors import BoardError, DataError, StreamError
from ..features import FeatureSet, motion_features
from ..model import DeviceModel, convert, measure, verify
from ..modules import install_for
from ..stream import Counters, Record
from .report import write_report
from .result import DemoResult
from .terminal import LiveTable, step

REPLAY_S = 5.0  # of each held-out recording, so that all activities come by in 20 s
N_TREES = 20
SEED = 1


def run_demo(
    port: str | None = None,
    seconds: float = 20.0,
    out_dir: Path = Path("out/demo"),
    console: Console | None = None,
) -> DemoResult:
    """Run the main job and write `out_dir/report.html`.

    Ctrl-C while it streams ends the stream, not the job: the report shows what came until then.

    Args:
        port: any port `connect()` takes; None chooses the best board, else the virtual one.
        seconds: how long to stream live predictions, s.
        out_dir: made if missing; an older report in it is replaced.
        console: where progress goes; None is standard output.

    Raises:
        WorkshopError: whatever went wrong, with what to do.
    """
    console = console or Console()
    started = time.monotonic()
    make_folder(out_dir)  # what is wrong with it is better known now than after the stream
    with step(console, "Board") as say:
        board = connect(port)
        info = board.info
        native = info.arch or "no native code"
        say(f"{info.name}, MicroPython {info.version}, {native}, {board.port}")
    with board:
        data, train_set, test_set = _features(console)
        model = _model(console, train_set, test_set)
        with step(console, f"{model.module} installed") as say:
            module = install_for(board, model)
            say(f"{module.source} for {module.arch or 'any board'}, {module.size_bytes:,} bytes")
        with step(console, "Model and app pushed") as say:
            files = data.part("test").replay_files(REPLAY_S)
            deployed = board.deploy(model, app="har_live", files=files)
            say(f"{deployed.sent_bytes:,} bytes sent, {len(deployed.skipped)} files already there")
        with step(console, "Every held-out window predicted on the board") as say:
            report = verify(model, test_set.X, board, y=test_set.y)
            say(f"{report.rows} windows, {report.agreement:.2%} agree with scikit-learn")
        with step(console, "Size, RAM and time measured on the board") as say:
            cost = measure(model, board, test_set.X[:64])
            say(f"{cost.ram_bytes:,} bytes of RAM, {cost.us_per_inference:.1f} µs per inference")
        live = _stream(console, board, model, sorted(files), seconds)
        predictions = [r for r in live.records if r.kind == "prediction"]
        result = DemoResult(
            accuracy_sklearn=_known(report.accuracy_sklearn),
            accuracy_device=_known(report.accuracy_device),
            agreement=report.agreement,
            disagreements_unexplained=report.causes.get("unexplained", 0),
            windows=report.rows,
            model_bytes=model.size_bytes,
            module_bytes=module.size_bytes,
            module_source=module.source,
            ram_bytes=int(_known(cost.ram_bytes)),
            us_per_inference=cost.us_per_inference,
            records=live.counters.records,
            records_lost=live.counters.lost,
            predictions=len(predictions),
            predictions_correct=sum(r["label"] == r["truth"] for r in predictions),
            port=board.port,
            arch=board.info.arch,
            board=board.info.name,
            seconds_to_first_prediction=round(live.first_prediction_at_s - started, 2),
            seconds_total=round(time.monotonic() - started, 2),
            report=str(out_dir / "report.html"),
        )
    with step(console, "Report") as say:
        write_report(out_dir, result, report, model, test_set, live.records, data)
        say(result.report)
    return result


def make_folder(folder: Path) -> None:
    """Make `folder` if it is missing. DataError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataError(
            f"Nothing can be written into {folder} ({error.strerror}).",
            "Name another folder: --out FOLDER.",
        ) from None


def _features(console: Console) -> tuple[datasets.Dataset, FeatureSet, FeatureSet]:
    with step(console, "Real smart-watch recordings") as say:
        data = datasets.load("basic_motions")
        train, test = data.part("train"), data.part("test")
        say(
            f"{len(data)} recordings of {data.duration_s:.0f} s at {data.rate_hz:g} Hz, "
            f"{len(data.classes)} activities; {len(test)} recordings held out"
        )
    with step(console, "Windows and features, by the code that also runs on the board") as say:
        train_set = motion_features(train)
        test_set = motion_features(test)
        say(f"{len(train_set.X)} + {len(test_set.X)} windows × {train_set.X.shape[1]} features")
    return data, train_set, test_set


def _model(console: Console, train_set: FeatureSet, test_set: FeatureSet) -> DeviceModel:
    with step(console, "Random forest in scikit-learn") as say:
        estimator = train_forest(train_set)
        say(f"{N_TREES} trees, {estimator.score(test_set.X, test_set.y):.1%} on held-out windows")
    with step(console, "Converted for the microcontroller") as say:
        model = convert(estimator, train_set.X, features=train_set.names, name="har")
        model.metadata.update(train_set.metadata())
        say(f"{model.size_bytes:,} bytes, {model.voting} voting")
    return model


@dataclass(frozen=True)
class _Live:
    records: list[Record]
    counters: Counters
    first_prediction_at_s: float  # on time.monotonic()'s clock


def _stream(
    console: Console, board: Board, model: DeviceModel, recordings: list[str], seconds: float
) -> _Live:
    config = {"model": f"/models/{model.name}", "sensor": "replay", "recordings": recordings}
    records: list[Record] = []
    first_at_s: float | None = None
    with board.stream("har_live", seconds=seconds, **config) as stream:
        with LiveTable(console, stream, seconds) as table:
            try:
                # The app ends by itself after `seconds`; the margin is for its goodbye.
                for record in stream.records(seconds=seconds + 5.0):
                    records.append(record)
                    if record.kind == "prediction" and first_at_s is None:
                        first_at_s = time.monotonic()
                    table.update(record)
            except KeyboardInterrupt:
                if first_at_s is None:
                    raise
        counters = stream.counters
    if first_at_s is None:
        raise StreamError(
            f"The board streamed no prediction in {seconds:g} s.",
            "Stream for longer: --seconds 20.",
        )
    return _Live(records, counters, first_at_s)


def train_forest(train_set: FeatureSet) -> Any:
    """A random forest small enough for a microcontroller, fitted on `train_set`."""
    from sklearn.ensemble import RandomForestClassifier

    estimator = RandomForestClassifier(
        n_estimators=N_TREES, min_samples_leaf=2, max_features="sqrt", random_state=SEED
    )
    return estimator.fit(train_set.X, train_set.y)


def _known(value: float | None) -> float:
    if value is None:
        raise BoardError(
            "This board can't say how much of its heap is free (no gc.mem_free).",
            "Use a MicroPython firmware from micropython.org, or --port virtual.",
        )
    return float(value)
