"""What the command does before anything else: it needs the standard library only."""

from __future__ import annotations

import codecs
import json
import os
import sys
import traceback
import unicodedata
from pathlib import Path

from .error_page import page_of

# What our lines hold that a terminal or a log in another encoding may lack.
_PLAIN = {"✔": "ok", "✘": "!!", "…": "...", "–": "-", "—": "-", "→": "->", "×": "x", "·": "-"}
_PLAIN |= {"█": "#", "µ": "u", "²": "2", "±": "+-", "≥": ">=", "≤": "<="}
_HANDLER = "workshop-plain"


def forgive_encodings() -> None:
    """Let standard output and error write plain signs where their encoding lacks ours."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # in a notebook they are something else, and UTF-8
            stream.reconfigure(errors=_HANDLER)


def say(text: str, end: str = "\n") -> None:
    """Print in plain signs where standard output lacks ours; a learner's own stream stays as is."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, _HANDLER).decode(encoding), end=end, flush=True)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_sign, text)), error.end


def _sign(sign: str) -> str:
    base = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return _PLAIN.get(sign) or base or "?"


codecs.register_error(_HANDLER, _plain)


def end_if_damaged(error: ImportError | SyntaxError) -> None:
    """End the command if an installed package is gone or damaged; return if the fault is ours.

    Raises:
        SystemExit: with two lines; with --json an object is on standard output as well.
    """
    text = missing_package(error)
    if text is None:
        return
    if "--json" in sys.argv[1:]:  # whoever reads the last line is to find an object there
        what, _, mend = text.partition("\n")
        mend = mend.partition(": ")[2].partition("  [")[0]
        answer = {"error": "PACKAGES", "what": what.partition(": ")[2], "mend": mend}
        print(json.dumps({key: text[:1].upper() + text[1:] for key, text in answer.items()}))
    raise SystemExit(text)


def missing_package(error: ImportError | SyntaxError) -> str | None:
    """Two lines on an installed package that is gone or damaged; None if the fault is ours."""
    name = package_at_fault(error)
    if name is None:
        return None
    # Without rich: it may be the very one that is missing.
    return (
        f"workshop: the package {name} is missing or damaged: {str(error).splitlines()[0]}.\n"
        "  What to do: delete the folder .venv and run `python3 workshop.py demo` again.  "
        f"[PACKAGES: {page_of('PACKAGES')}]"
    )


def package_at_fault(error: ImportError | SyntaxError) -> str | None:
    """The installed package that is gone or damaged; None if the fault is ours."""
    name = (getattr(error, "name", None) or "").split(".")[0] or _package_of(error)
    return None if not name or name == __package__ or name in sys.stdlib_module_names else name


def _package_of(error: ImportError | SyntaxError) -> str | None:
    """The package whose code raised it, or can't be read: a half-deleted one may raise with words
    of its own."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        files.append(error.filename)
    for file in reversed(files):
        parts = Path(file).parts
        if "site-packages" in parts[:-1]:
            return parts[parts.index("site-packages") + 1].removesuffix(".py")
    return None


def settle_matplotlib() -> None:
    """Give Matplotlib a folder in our cache if its own can't be written: it would warn each time.

    Raises:
        SetupError: nor can our cache be written.
    """
    if "MPLCONFIGDIR" in os.environ or all(map(_can_be_made, _matplotlib_folders())):
        return
    from .paths import cache_dir

    os.environ["MPLCONFIGDIR"] = str(cache_dir() / "matplotlib")


def _matplotlib_folders() -> list[Path]:
    """Where Matplotlib keeps settings and fonts, as its documentation tells."""
    home = Path(os.path.expanduser("~"))
    if not sys.platform.startswith(("linux", "freebsd")):
        return [home / ".matplotlib"]
    config, cache = os.environ.get("XDG_CONFIG_HOME"), os.environ.get("XDG_CACHE_HOME")
    return [
        Path(config or home / ".config") / "matplotlib",
        Path(cache or home / ".cache") / "matplotlib",
    ]


def _can_be_made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)  # as Matplotlib itself will
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
