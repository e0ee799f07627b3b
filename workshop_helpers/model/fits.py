"""Whether a model fits a board that one does not have at hand, from the catalogue."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..board.catalogue import KnownBoard, find
from ..errors import WorkshopError
from ..modules import build
from .device_model import DeviceModel

if TYPE_CHECKING:
    from ..board import Board
    from .measure import Measurement

# What is left for Python of a chip's RAM, and for files of its flash. Cautious, not measured: the
# firmware and a radio take the rest, and boards differ. A connected board knows better.
_HEAP_SHARE, _HEAP_SHARE_WITH_RADIO = 0.6, 0.3
_FILES_SHARE = 0.25
# What an app needs besides the model: its code, buffers, one record of text.
_APP_RAM_BYTES = 24 * 1024
_OBJECTS_BYTES = 3 * 1024  # the module's and the model's Python objects
_MOST = 1.0
_TIGHT = 0.7


@dataclass(frozen=True)
class Need:
    """One thing a model needs of a board. Sizes in bytes; `source` says where they come from."""

    what: str
    needs_bytes: int
    has_bytes: int
    source: str

    @property
    def share(self) -> float:
        """How much of what is there is needed; above 1 it does not fit."""
        return self.needs_bytes / self.has_bytes if self.has_bytes > 0 else float("inf")

    @property
    def verdict(self) -> str:
        """ "fits", "tight" (above 70 %) or "too large"."""
        if self.share > _MOST:
            return "too large"
        return "tight" if self.share > _TIGHT else "fits"


@dataclass(frozen=True, repr=False)
class Fit:
    """Whether a model fits a board, and why (not). True if everything fits."""

    model: str
    board: str
    needs: tuple[Need, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(need.share <= _MOST for need in self.needs)

    def __repr__(self) -> str:
        words = ", ".join(f"{n.what} {n.share:.0%}" for n in self.needs)
        return f"<{self.model} {'fits' if self else 'does NOT fit'} {self.board}: {words}>"

    def _repr_html_(self) -> str:
        head = f"{self.model} {'fits' if self else 'does not fit'} {self.board}"
        signs = {"fits": "✔", "tight": "✔ tight", "too large": "✘ too large"}
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(n.what)}</td><td>{_kb(n.needs_bytes)}"
            f"</td><td>{_kb(n.has_bytes)}</td><td>{n.share:.0%}</td><td>{signs[n.verdict]}</td>"
            f"<td style='text-align:left'>{html.escape(n.source)}</td></tr>"
            for n in self.needs
        )
        columns = "".join(f"<th>{name}</th>" for name in ("", "needs", "has", "share", "", "from"))
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<table><caption>{html.escape(head)}</caption><tr>{columns}</tr>{rows}</table>{notes}"
        )


def fits(
    model: DeviceModel, board: str | KnownBoard | Board, cost: Measurement | None = None
) -> Fit:
    """Compare what a model needs with what a board has.

    Args:
        board: a name in the catalogue ("esp32-c3", "pico"), an entry of it, or a connected board,
            whose heap and flash are then the real ones.
        cost: from `measure`; its heap use takes the place of the estimate from the file. The
            virtual board's is that of 64-bit code, more than a microcontroller needs.

    Raises:
        UnknownBoardError: there is no such board in the catalogue.
        BoardError: a connected board does not answer.
    """
    entry = find(board) if isinstance(board, str) else board
    arch: str | None
    notes: tuple[str, ...]
    if isinstance(entry, KnownBoard):
        name, arch = entry.title, entry.arch
        share = _HEAP_SHARE_WITH_RADIO if entry.radio else _HEAP_SHARE
        heap = int(1024 * entry.ram_kb * share)
        heap_source = f"{share:.0%} of {entry.ram_kb} KB RAM, estimated"
        files = int(1024 * entry.flash_kb * _FILES_SHARE)
        files_source = f"{_FILES_SHARE:.0%} of {entry.flash_kb} KB flash, estimated"
        notes = tuple(quirk for quirk in entry.quirks if "float" in quirk.lower())
    else:
        info = entry.info
        name, arch, notes = info.name, info.arch, ()
        heap, heap_source = info.heap_free_bytes or 0, "free heap, read from the board"
        files, files_source = info.flash_free_bytes or 0, "free flash, read from the board"
    module = module_bytes(model, arch)
    ram = cost.ram_predicting_bytes if cost else estimate_ram_bytes(model, arch)
    how = f"measured on {cost.board}" if cost else "estimated from the file"
    flash = module + sum(map(len, model.files.values()))
    needs = (
        Need("flash, model and module", flash, files, f"file sizes; {files_source}"),
        Need("RAM, model and module", ram, heap, f"{how}; {heap_source}"),
        Need("RAM with an app", ram + _APP_RAM_BYTES, heap, "24 KB for app, buffers and text"),
    )
    return Fit(model.name, name, needs, notes)


def module_bytes(model: DeviceModel, arch: str | None) -> int:
    """Size of the native module as built here for an architecture, or of its plain twin."""
    try:
        return build(model.module, arch).size_bytes
    except WorkshopError:
        return build(model.module, None).size_bytes


def estimate_ram_bytes(model: DeviceModel, arch: str | None) -> int:
    """Heap that module and loaded model take, from their files.

    Trees: 8 bytes a node, 12 a tree, and per leaf a byte for each class it counts for (4 for
    regression); other kinds keep their file as it is; model.json is kept as a dict. Module code
    counts at its file's size, also where a port keeps native code outside the heap.
    """
    if model.kind == "trees":
        forest = model.forest
        leaf_bytes = 4 if model.task == "regression" else 1
        data = 8 * len(forest.nodes) + 12 * forest.n_trees + leaf_bytes * len(forest.leaves)
    else:
        data = model.size_bytes
    described = len(model.files["model.json"])
    return data + described + module_bytes(model, arch) + _OBJECTS_BYTES


def _kb(size_bytes: int) -> str:
    return f"{size_bytes / 1024:.1f} KB"
