"""Run notebooks from top to bottom, unattended, as shipped and with the solutions put in.

Each run has a kernel of its own (this Python), a work folder and a progress file of its own, and,
if neither `port` nor WORKSHOP_PORT says otherwise, a fresh virtual board. The executed copy stays
under `out/notebooks`, also when a cell failed; `times.json` there has the seconds of each run.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .. import errors
from ..errors import CourseError
from ..paths import NOTEBOOKS, ROOT
from .checks import CHECK_LOG
from .exercises import exercises_of, tags_of, with_solutions
from .files import read_notebook, write_notebook
from .parameters import inject
from .times import note_time

Variant = Literal["as_shipped", "with_solutions"]
VARIANTS: tuple[Variant, ...] = ("as_shipped", "with_solutions")
OUT = ROOT / "out" / "notebooks"


@dataclass(frozen=True)
class NotebookRun:
    """One notebook that ran to its end."""

    name: str
    variant: Variant
    code_cells: int
    seconds: float
    checks: dict[str, bool]  # exercise -> whether its last check passed
    executed: Path
    html: Path | None  # None without nbconvert


def run_notebook(
    path: Path,
    variant: Variant = "as_shipped",
    *,
    parameters: Mapping[str, object] | None = None,
    out_dir: Path = OUT,
    cell_timeout_s: int = 120,
    port: str | None = None,
    work: Path | None = None,
) -> NotebookRun:
    """Run one notebook in its own folder, on the board at `port`, and judge its exercises.

    `work`: the learner's folder, kept; None: an empty one that is thrown away.

    As shipped no exercise may pass; with solutions each must. A cell tagged `raises-exception`
    must raise one of our own errors: it is there to show one, and a slip raises something else.

    Raises:
        CourseError: a cell failed or took longer than `cell_timeout_s`, or an exercise did not
            come out as it should. Names the notebook, the cell and the cell's first line.
    """
    shipped = read_notebook(path)
    notebook = with_solutions(shipped, path) if variant == "with_solutions" else shipped
    exercises = list(exercises_of(shipped, path.name))
    numbers = {str(cell.get("id")): number for number, cell in enumerate(shipped["cells"], 1)}
    inject(notebook, parameters or {}, path.name)
    if not any(cell["cell_type"] == "code" for cell in notebook["cells"]):
        raise CourseError(f"{path.name} has no code cell, so there is nothing to run.")

    out_dir.mkdir(parents=True, exist_ok=True)
    executed = out_dir / f"{path.stem}.{variant}.ipynb"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="workshop-run-") as name:
        log = Path(name) / "checks.jsonl"
        environment = _kernel_environment(log, Path(name), port, work)
        try:
            _execute(notebook, path, numbers, executed, cell_timeout_s, environment)
        finally:
            write_notebook(notebook, executed)
        checks = _read_checks(log)
    seconds = time.monotonic() - began
    _judge(path, variant, exercises, checks)
    note_time(out_dir, path.stem, variant, seconds)
    return NotebookRun(
        name=path.stem,
        variant=variant,
        code_cells=sum(cell["cell_type"] == "code" for cell in notebook["cells"]),
        seconds=seconds,
        checks=checks,
        executed=executed,
        html=_write_html(notebook, executed.with_suffix(".html")),
    )


def _execute(
    notebook: Any,
    path: Path,
    numbers: Mapping[str, int],
    executed: Path,
    cell_timeout_s: int,
    environment: dict[str, str],
) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    current: list[Any] = []

    def remember(cell: Any, cell_index: int) -> None:
        current[:] = [cell]

    def failed(what: str) -> CourseError:
        cell = current[0] if current else {"source": "", "id": ""}
        number = numbers.get(str(cell.get("id")), 0)
        first = next((row for row in cell["source"].splitlines() if row.strip()), "")
        return CourseError(
            f"{path.name}, cell {number} ({first.strip()}): {what}",
            f"Look at the executed copy: {executed}",
            notebook=path.name,
            cell=number,
        )

    client = NotebookClient(
        notebook,
        timeout=cell_timeout_s,
        startup_timeout=60,
        kernel_name="python3",
        kernel_manager_class=_kernel_manager_class(),
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=remember,
    )
    try:
        client.execute(env=environment)
    except TimeoutError:
        raise failed(f"took longer than {cell_timeout_s} s.") from None
    except (CellControlSignal, DeadKernelError) as error:
        raise failed(_error_of(current) or f"{type(error).__name__}: {error}") from None
    for cell in notebook["cells"]:
        if "raises-exception" not in tags_of(cell):
            continue
        current[:] = [cell]
        raised = _error_of([cell])
        kind = getattr(errors, raised.partition(":")[0], None)
        if not (isinstance(kind, type) and issubclass(kind, errors.WorkshopError)):
            raise failed(
                "is tagged raises-exception, which stands for an error of ours, and raised "
                f"{raised or 'nothing'}"
            )


def _error_of(cells: list[Any]) -> str:
    """The error a cell ended with, on one line or a few; empty if there was none."""
    for output in cells[0].get("outputs", []) if cells else []:
        if output["output_type"] == "error":
            text = f"{output['ename']}: {output['evalue']}"
            return re.sub(r"\x1b\[[0-9;]*m", "", text)
    return ""


def _kernel_environment(
    log: Path, scratch: Path, port: str | None, work: Path | None
) -> dict[str, str]:
    environment = dict(os.environ)
    environment.setdefault("WORKSHOP_PORT", "virtual")
    if port:
        environment["WORKSHOP_PORT"] = port
    environment["WORKSHOP_WORK"] = str(work or scratch / "work")
    environment["WORKSHOP_PROGRESS"] = str(scratch / "progress.json")  # nobody's own
    environment.pop("MPLBACKEND", None)  # the notebook's own affair
    environment.setdefault("WORKSHOP_RECORDINGS", str(scratch / "recordings"))
    environment[CHECK_LOG] = str(log)
    environment["IPYTHONDIR"] = str(scratch / "ipython")  # nobody's own start-up files
    return environment


def _kernel_manager_class() -> type[Any]:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    command = [sys.executable, "-m", "ipykernel_launcher"]

    class ThisPython(AsyncKernelManager):
        """Starts this interpreter, whatever kernel "python3" means on this laptop."""

        @property
        def kernel_spec(self) -> Any:
            return KernelSpec(
                argv=[*command, "-f", "{connection_file}", "--IPKernelApp.log_level=40"],
                display_name="this Python",
                language="python",
            )

    return ThisPython


def _read_checks(log: Path) -> dict[str, bool]:
    if not log.exists():
        return {}
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {line["exercise"]: line["passed"] for line in lines}


def _judge(path: Path, variant: Variant, exercises: list[str], checks: Mapping[str, bool]) -> None:
    for exercise in exercises:
        if exercise not in checks:
            raise CourseError(f"{path.name}, {variant}: exercise {exercise} was never checked.")
        if checks[exercise] and variant == "as_shipped":
            raise CourseError(f"{path.name}: exercise {exercise} passes before anybody solved it.")
        if not checks[exercise] and variant == "with_solutions":
            raise CourseError(f"{path.name}: the solution of exercise {exercise} does not pass.")


def _write_html(notebook: Any, path: Path) -> Path | None:
    with suppress(ImportError):
        import nbconvert

        exporter: Any = nbconvert.HTMLExporter  # not annotated there
        where = {"metadata": {"path": str(NOTEBOOKS)}}  # pictures that cells link to
        body, _ = exporter(embed_images=True).from_notebook_node(notebook, resources=where)
        path.write_text(body, encoding="utf-8")
        return path
    return None
