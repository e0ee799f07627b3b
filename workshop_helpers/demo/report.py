"""`report.html`: one file that shows what the demo did and measured, readable anywhere."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from .. import plots
from ..datasets import Dataset
from ..features import FeatureSet
from ..files import write_whole
from ..model import DeviceModel, VerifyReport
from ..stream import Record
from ..text import printable
from .result import DemoResult

VIRTUAL_NOTE = (
    "This board runs on a laptop: the time is the laptop's, and module and RAM are those of its "
    "64-bit code. On a 32-bit microcontroller both are smaller, and the time is longer."
)
TEMPLATE = Path(__file__).with_name("report_template.html")


def write_report(
    out_dir: Path,
    result: DemoResult,
    verified: VerifyReport,
    model: DeviceModel,
    test_set: FeatureSet,
    records: list[Record],
    data: Dataset,
) -> Path:
    """Write `out_dir/report.html` and the two pictures beside it; return the report's path.

    The old report stays whole until the new one is complete.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    confusion = plots.confusion_figure(
        [str(v) for v in test_set.y], [str(v) for v in verified.device_labels], data.classes
    )
    stream = _stream_figure(records, data)
    write_whole(out_dir / "confusion.png", plots.png(confusion))
    write_whole(out_dir / "stream.png", plots.png(stream))
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        board=_text(result.board),
        agreement=f"{result.agreement:.2%}",
        accuracy=f"{result.accuracy_device:.1%}",
        windows=result.windows,
        seconds=f"{result.seconds_to_first_prediction:.1f}",
        rows=_rows(result),
        causes=_causes(verified),
        confusion=plots.data_url(confusion),
        stream=plots.data_url(stream),
        note=_text(VIRTUAL_NOTE if result.arch in ("x64", "x86") else ""),
        model=_text(f"{model.size_bytes:,} bytes, {model.voting} voting"),
    )
    target = out_dir / "report.html"
    write_whole(target, page.encode())
    return target


def _stream_figure(records: list[Record], data: Dataset) -> plots.Picture:
    blocks = [r for r in records if r.kind == "samples"]
    predictions = [r for r in records if r.kind == "prediction"]
    start_us = min(r.t_us for r in [*blocks, *predictions])
    times: list[NDArray[np.float64]] = []
    values: list[NDArray[np.float64]] = []
    for block in blocks:
        rows = block.samples()
        # A block is stamped when its last sample has arrived.
        age_s = np.arange(len(rows))[::-1] / data.rate_hz
        times.append((block.t_us - start_us) / 1e6 - age_s)
        values.append(rows[:, :3] * data.units_per_lsb[:3])
    return plots.stream_figure(
        np.concatenate(times) if times else np.empty(0),
        np.concatenate(values) if values else np.empty((0, 3)),
        data.channels[:3],
        np.array([(r.t_us - start_us) / 1e6 for r in predictions]),
        np.array([r["outputs"] for r in predictions], dtype=float),
        [str(r["truth"]) for r in predictions],
        data.classes,
        data.channel_units[0],
    )


def _rows(result: DemoResult) -> str:
    correct = f"{result.predictions_correct} of {result.predictions}"
    table = [
        ("Accuracy, scikit-learn on the laptop", f"{result.accuracy_sklearn:.2%}"),
        ("Accuracy, on the board", f"{result.accuracy_device:.2%}"),
        ("Agreement, row by row", f"{result.agreement:.2%} of {result.windows} windows"),
        ("Model", f"{result.model_bytes:,} bytes"),
        ("Module", f"{result.module_bytes:,} bytes ({result.module_source})"),
        ("RAM, model loaded", f"{result.ram_bytes:,} bytes"),
        ("Time per inference", f"{result.us_per_inference:.1f} µs (median, one after the other)"),
        ("Live predictions that were right", correct),
        ("Records streamed", f"{result.records:,}"),
        ("Records lost", f"{result.records_lost:,}"),
        ("Board", result.board),
        ("Port", result.port),
        ("Architecture", result.arch or "no native code"),
        ("From the start to the first prediction", f"{result.seconds_to_first_prediction:.1f} s"),
    ]
    return "\n".join(f"<tr><th>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in table)


def _causes(verified: VerifyReport) -> str:
    if not verified.causes:
        return "Every window gives the same label on the board and in scikit-learn."
    items = "".join(f"<li>{_text(cause)}: {n}</li>" for cause, n in verified.causes.items())
    return f"Where they differ, and why:<ul>{items}</ul>"


def _text(value: object) -> str:
    return html.escape(printable(str(value)))
