"""docs/errors.md, made of the table."""

from __future__ import annotations

import html
from pathlib import Path

from ..error_page import PAGE
from ..files import write_whole
from ..paths import ROOT
from . import Row, load_rows, meaning_of

_HEAD = """# Errors, and what mends them

Made from `workshop_helpers/failures/table.toml` by `workshop docs errors`: change that, not this.

Every error ends with its code and the way to its entry here, which needs no network. `{...}` stands
for what belongs there: a port, a group, the steps for a board. Each entry is tested: its failure is
provoked, on the virtual board's fault injector, on real sockets and files, or on texts such as the
systems print, and the mends are compared. What an error itself says may be more exact. The texts of
Windows, WSL and macOS are as public reports show them, not recorded by us there; no failure was
provoked on a real board yet.

## What do you see?

| what you see | code |
|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    rows = load_rows()
    index = "".join(f"| {_cell(row.seen)} | [{row.code}](#{row.code.lower()}) |\n" for row in rows)
    codes = sorted({row.code for row in rows}, key=str.lower)
    entries = [_entry(code, [row for row in rows if row.code == code]) for code in codes]
    return _HEAD + index + "\n" + "\n".join(entries)


def write_page(path: Path | None = None, *, check: bool = False) -> bool:
    """Write the page, or only look whether it is up to date. True if it is, afterwards.

    Raises OSError if it can't be written.
    """
    path = path or ROOT / PAGE
    if check:
        return path.is_file() and path.read_text(encoding="utf-8") == page()
    write_whole(path, page().encode())
    return True


def _entry(code: str, rows: list[Row]) -> str:
    # The heading in lower case: see error_page.page_of.
    lines = [f"## {code.lower()}", "", f"**{code}**: {_text(meaning_of(code))}", ""]
    for row in rows:
        lines.append(f"- **{_text(row.seen)}** {_text(row.found_by)}")
        if row.before:
            lines.append(f"  - First: {_text(row.before)}")
        for mend in row.mends:
            on = f" on {mend.on}" if mend.on else ""
            lines.append(f"  - Mend{on}: {_text(mend.do)}")
        lines.append(f"  - Test: `{row.name}` in `tests/{row.test.partition('.')[0]}.py`")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Markdown that shows `text` as it is; what stands between backticks stays code."""
    parts = text.split("`")
    return "`".join(
        part if n % 2 else html.escape(part, quote=False).replace("*", "\\*").replace("_", "\\_")
        for n, part in enumerate(parts)
    )


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")
