"""A text to paste for help, with nothing private in it."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

_RULES = [
    # Secrets by their names, in any notation; the rest of the line goes with them.
    (
        r"(?im)\b(\w*(?:pass(?:word|wd|phrase)?|secret|token|api_?key|ssid|psk|wi-?fi\w*)\w*)"
        r"""(["']?\s*[:=]\s*).+$""",
        r"\1\2<removed>",
    ),
    (r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@", r"\1<removed>@"),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<e-mail>"),
    # Homes, also with spaces in the name (up to the next separator), then network shares.
    (r"(?i)\b[a-z]:[\\/]+users[\\/]+[^\\/\n\"']+", "~"),
    (r"/(?:home|Users)/[^/\n\"':,;)]+", "~"),
    (r"(?<!\w)/root(?=[/\s]|$)", "~"),
    (r"\\\\[\w.$-]+\\[^\s\\]+", "<share>"),
    (r"\b(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}\b", "<address>"),
    (r"\b(?:\d{1,3}\.){3}\d{1,3}\b(?<!127\.0\.0\.1)(?<!0\.0\.0\.0)", "<address>"),
    (r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?::[0-9a-f]{1,4})*\b", "<address>"),
    # Serial numbers: after their name, at the end of a port's name, or long and of digits.
    (r"(?i)\b((?:ser(?:ial)?(?:[ _]?(?:number|no))?|SNR)\s*[=:]\s*)[^\s,;)]+", r"\1<serial>"),
    (r"(/dev/serial/by-id/)\S+", r"\1<serial>"),
    (r"(?i)((?:cu|tty)\.(?:usbmodem|usbserial|SLAB_USBtoUART|wchusbserial)-?)\w+", r"\1<serial>"),
    (r"(?<!sha256:)\b(?=\w*\d)[0-9A-Fa-f]{10,}\b", "<serial>"),
    (r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,}\b", "<serial>"),
]


_SECRET_NAMES = re.compile(
    r"pass|secret|token|api_?key|ssid|psk|wi-?fi|credential|proxy", re.IGNORECASE
)
_SHORTEST_SECRET = 4
_NO_SECRETS = {"true", "false", "none", "auto", "localhost"}  # as switches are called


def without_private(text: str, names: Iterable[str] | None = None) -> str:
    """`text` without user and computer names, homes, addresses, secrets and serial numbers.

    Args:
        names: to remove beside what the rules know; None: this user, this computer, this home.
    """
    for secret in own_secrets():
        text = text.replace(secret, "<removed>")
    for pattern, instead in _RULES:  # first: an address or a share goes as a whole
        text = re.sub(pattern, instead, text)
    for name in sorted(own_names() if names is None else names, key=len, reverse=True):
        if len(name) > 1:
            text = re.sub(rf"(?i)(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "~", text)
    return text


def own_secrets() -> list[str]:
    """What stands in environment variables that are named as secrets are, the longest first."""
    values = {value for name, value in os.environ.items() if _SECRET_NAMES.search(name)}
    values -= {value for value in values if value.lower() in _NO_SECRETS or value.isdigit()}
    return sorted((v for v in values if len(v) >= _SHORTEST_SECRET), key=len, reverse=True)


def own_names() -> set[str]:
    """What this user, this computer and their home folder are called."""
    found = {platform.node(), platform.node().split(".")[0], str(Path.home()), Path.home().name}
    found |= {os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "COMPUTERNAME")}
    with contextlib.suppress(OSError, KeyError, ImportError):
        found.add(getpass.getuser())
    common = {"", "/", "root", "user", "pi", "localhost", "home", "runner", "python", "board"}
    return {name for name in found if name.lower() not in common}
