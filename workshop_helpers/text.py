"""Text from a board, made safe to show: it is data, never terminal control."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with every control character but newline and tab written out as `\\xNN`."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() or c == " ") else f"\\x{ord(c):02x}"
        for c in text.replace("\r\n", "\n")
    )
