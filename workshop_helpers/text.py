"""Text from a board, made safe to show: it is data, never terminal control."""

from __future__ import annotations

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


def printable(text: str) -> str:
    """`text` with every control character but newline and tab written out as `\\xNN`."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() or c == " ") else f"\\x{ord(c):02x}"
        for c in text.replace("\r\n", "\n")
    )
