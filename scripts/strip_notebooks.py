"""Clean notebooks before they are committed: no outputs, no counts, no kernel; ids and tags stay.

    python3 scripts/strip_notebooks.py [NOTEBOOK ...]     default: all of notebooks/

Runs `nbstripout` from the environment that `python3 workshop.py test` makes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
KEEP = {"language_info": {"name": "python"}}


def main(arguments: list[str]) -> int:
    paths = [Path(name) for name in arguments] or sorted(NOTEBOOKS.glob("*.ipynb"))
    command = [sys.executable, "-m", "nbstripout", "--keep-id", *map(str, paths)]
    if subprocess.call(command):
        return 1
    for path in paths:
        before = path.read_text(encoding="utf-8")
        notebook = json.loads(before)
        notebook["metadata"] = KEEP
        for cell in notebook["cells"]:
            tags = cell["metadata"].get("tags")
            cell["metadata"] = {"tags": tags} if tags else {}
        after = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"cleaned {path.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
