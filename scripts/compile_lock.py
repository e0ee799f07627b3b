"""Compile the locks (requirements*.lock) from pyproject.toml. Needs `uv` on PATH.

    python3 scripts/compile_lock.py             keep the pins that still fit
    python3 scripts/compile_lock.py --upgrade   take the newest of everything
    python3 scripts/compile_lock.py --check     change nothing; exit 1 if the locks are out of date

One lock serves every supported Python and system ("universal": lines carry markers), with SHA-256
hashes and without index addresses, so that a mirror or a folder of wheels serves as well.
requirements-test.lock holds only what the tests need on top of requirements.lock,
requirements-flash.lock what `workshop flash` needs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Compiled from pyproject.toml by scripts/compile_lock.py; do not edit.\n"
COMPILE = [
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-annotate",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-build-options",
]


def split_entries(text: str) -> dict[str, str]:
    """Lock text -> {"name==version ; marker": the whole entry with its hash lines}."""
    entries: dict[str, str] = {}
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if block and block[0].isalnum():
            entries[block.split("\\")[0].strip()] = block.rstrip("\n") + "\n"
    return entries


def compile_one(uv: str, folder: Path, output: str, *options: str) -> str:
    """Run uv in `folder`, which holds pyproject.toml and perhaps the lock there was before."""
    command = [uv, *COMPILE, "pyproject.toml", "-o", output, *options]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    if result.returncode:
        raise SystemExit(f"uv could not compile {output}:\n{result.stderr}")
    return (folder / output).read_text(encoding="utf-8")


def compile_locks(uv: str, upgrade: bool) -> dict[str, str]:
    """The locks' texts by file name. Works in a temporary folder: no path of ours gets in."""
    more = ["--upgrade"] if upgrade else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in ("pyproject.toml", "README.md", "requirements.lock"):
            if (ROOT / source).exists():
                shutil.copy(ROOT / source, folder)
        base = compile_one(uv, folder, "requirements.lock", *more)
        return {
            "requirements.lock": HEADER + base,
            "requirements-test.lock": HEADER
            + "# Only what the tests need on top of requirements.lock.\n"
            + on_top(uv, folder, base, "test", more),
            "requirements-flash.lock": HEADER
            + "# Only what `workshop flash` needs on top of requirements.lock; esptool is source.\n"
            + on_top(uv, folder, base, "flash", more),
        }


def on_top(uv: str, folder: Path, base: str, extra: str, more: list[str]) -> str:
    """The entries of an extra that are not in `base`."""
    # Seeded with both old locks, so that what is only for the extra keeps its pins as well.
    old = ROOT / f"requirements-{extra}.lock"
    seed = base + (old.read_text(encoding="utf-8") if old.exists() else "")
    (folder / "all.lock").write_text(seed, encoding="utf-8")
    everything = compile_one(
        uv, folder, "all.lock", "--extra", extra, "-c", "requirements.lock", *more
    )
    in_base = split_entries(base)
    return "".join(entry for key, entry in split_entries(everything).items() if key not in in_base)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if stale")
    options = parser.parse_args()
    uv = shutil.which("uv")
    if uv is None:
        print("This needs uv on PATH: pip install uv", file=sys.stderr)
        return 2
    stale = False
    for name, text in compile_locks(uv, options.upgrade).items():
        path = ROOT / name
        same = path.exists() and path.read_text(encoding="utf-8") == text
        stale = stale or not same
        if not same and not options.check:
            path.write_text(text, encoding="utf-8", newline="\n")
        state = "as it was" if same else "out of date" if options.check else "written"
        print(f"{name}: {len(split_entries(text))} entries, {state}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
