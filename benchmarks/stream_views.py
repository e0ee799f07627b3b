"""How smooth each live view is in a real JupyterLab in headless Chromium, and what it costs.

    python benchmarks/stream_views.py [VIEW ...] [--seconds N]

A virtual board sends 3 channels at 100 Hz, of which 5 s are shown, 500 points, and two predictions
a second. Frames are counted in the page: an animation frame of the browser in which the canvas has
changed is one. The kernel's CPU share is of one core, and of all the kernel does: taking records,
drawing, sending. The board is a process of its own and not in it. The browser's share, of all its
processes, is told without a goal: without a graphics chip it paints in software. Every view has its
status line and buttons. "whole" has all panels at once. On a machine with more to do than it has
cores, browser and kernel get their part of the time and no more, and so do the frames.

`rows()` is called by benchmarks/stream.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

from workshop_helpers.paths import ROOT

sys.path.append(str(ROOT / "tests"))  # where the browser is driven
import browser_lab

APP = Path(__file__).parent / "device" / "view_load.py"
VIEWS = {
    "signals": ["signals"],
    "probabilities": ["probabilities"],
    "spectrogram": ["spectrogram"],
    "confusion": ["confusion"],
    "notebook 10": ["signals", "probabilities", "confusion"],
    "whole": ["signals", "spectrogram", "probabilities", "confusion"],
}
GOAL_FPS, GOAL_CPU = 20.0, 0.5
WARM_UP_S = 3.0  # from the fifth frame on: until all that is loaded once has been
CONFIG = {"rate_hz": 100, "classes": ["Badminton", "Running", "Standing", "Walking"]}
WINDOW_S = 5.0

OPEN = """
from pathlib import Path
from workshop_helpers import LiveView, connect
from workshop_helpers.model.deploy import closure
from workshop_helpers.stream import open_stream
app = Path({app!r})
board = connect("virtual")
for path, source in {{**closure(app), "/" + app.name: app}}.items():
    board.put(source, path)
views = iter({views!r}.items())
"""
SHOW = """
name, panels = next(views)
with open_stream(board, app.stem, {config!r}) as stream:
    LiveView(stream, panels, window_s={window_s}).show(seconds=3600)
print("DONE", name)
"""
COUNT = """() => {
    const canvas = document.querySelector(".workshop-live canvas");
    let shown = canvas.dataset.shown;
    window.painted = { frames: 0, since: performance.now() };
    const look = () => {
        if (shown !== canvas.dataset.shown) window.painted.frames++;
        shown = canvas.dataset.shown;
        if (canvas.isConnected) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
COUNTED = "() => 1000 * window.painted.frames / (performance.now() - window.painted.since)"
Row = tuple[str, float, str, float | None]  # name, value, unit, limit


def rows(names: list[str] | None = None, seconds: float = 10.0) -> list[Row]:
    """Three for each view; none where no browser can be driven."""
    if why := browser_lab.missing():
        print(f"Live views were not measured. {why}", file=sys.stderr)
        return []
    views = {name: VIEWS[name] for name in names or VIEWS}
    cells = [
        OPEN.format(app=str(APP), views=views),
        SHOW.format(config=CONFIG, window_s=WINDOW_S),
    ]
    found: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as home,
        browser_lab.open_notebook(Path(home), "views", cells) as notebook,
    ):
        notebook.run_cell(0)
        for name in views:
            notebook.run_cell(1)
            found += measured(notebook, name, seconds)
            notebook.screenshot(f"views_{name.replace(' ', '_')}")
            notebook.button("Stop").click()
            notebook.wait_for_text(f"DONE {name}")
    return found


def measured(notebook: browser_lab.Notebook, name: str, seconds: float) -> list[Row]:
    notebook.wait_for_frames(5)
    notebook.page.wait_for_timeout(1000 * WARM_UP_S)
    kernel, browser = processes(notebook.lab.pid)
    notebook.page.evaluate(COUNT)
    before, begun_s = (cpu_s(kernel), cpu_s(browser)), time.monotonic()
    notebook.page.wait_for_timeout(1000 * seconds)
    fps = notebook.page.evaluate(COUNTED)
    took_s = time.monotonic() - begun_s
    shares = [(cpu_s(p) - b) / took_s for p, b in zip((kernel, browser), before, strict=True)]
    return [
        (f"live view {name}, painted", fps, "frames/s", GOAL_FPS),
        (f"live view {name}, kernel", shares[0], "of a core", GOAL_CPU),
        (f"live view {name}, browser", shares[1], "of a core", None),
    ]


def processes(lab_pid: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The kernel, and the browser's."""
    kernel = [p for p in psutil.Process(lab_pid).children() if "ipykernel_launcher" in p.cmdline()]
    ours = psutil.Process().children(recursive=True)
    return kernel, [p for p in ours if "chrom" in p.name().lower()]


def cpu_s(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that they have taken so far."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("views", nargs="*", metavar="VIEW", help=f"of {', '.join(VIEWS)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    options = parser.parse_args()
    print(f"load of the machine before: {psutil.getloadavg()[0]:.1f}, {psutil.cpu_count()} cores")
    for name, value, unit, limit in rows(options.views, options.seconds):
        print(f"{name:40} {value:6.2f} {unit}" + (f" (goal {limit:g})" if limit else ""))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
