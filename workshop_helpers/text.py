"""Text to show: what a board says, made safe (it is data, never terminal control); and numbers."""

from __future__ import annotations

import math
import re
from pathlib import PureWindowsPath

# Names that Windows keeps for devices, whatever their ending.
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_RESERVED |= {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789\N{SUPERSCRIPT ONE}²³"}


def is_plain_name(name: str) -> bool:
    """Whether `name` is one file's name on every system: no folder, device, control character."""
    stem = name.split(".")[0].rstrip(" ").lower()
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= 255
        and name == PureWindowsPath(name).name
        and not set(name) & set('\\/:*?"<>|')
        and name.isprintable()
        and not name.endswith((".", " "))
        and stem not in _RESERVED
    )


def without_login(text: str) -> str:
    """`text` without the user and password of the addresses in it."""
    return re.sub(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@", r"\1", text)


def drawn(text: str) -> str:
    """`text` as Matplotlib is to draw it: word for word. Between two dollar signs it would read a
    formula, and fail where there is none."""
    return printable(text).replace("$", r"\$")


def printable(text: str) -> str:
    """`text` with every control character but newline and tab written out as `\\xNN`."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() or c == " ") else f"\\x{ord(c):02x}"
        for c in text.replace("\r\n", "\n")
    )


def counted(n: int, what: str) -> str:
    """ "1 tree", "2 trees"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def rounded(value: float, digits: int = 2) -> str:
    """A number in so many digits, and no powers of ten: 0.029, 7.6, 660, 2,600."""
    if not value:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(0, places)}f}"
