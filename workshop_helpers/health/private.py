"""A text to paste for help, with nothing private in it."""

from __future__ import annotations

import contextlib
import getpass
import ipaddress
import os
import platform
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping

from ..paths import ROOT

_RULES = [
    # Secrets by their names, in any notation; the rest of the line goes with them.
    (
        r"(?im)\b(\w*(?:pass(?:word|wd|phrase)?|secret|token|api_?key|ssid|psk|wi-?fi\w*)\w*|"
        r"\w*(?:user(?:_?name)?|login|authorization))"
        r"""(["']?\s*[:=]\s*).+$""",
        r"\1\2<removed>",
    ),
    (r"(?i)\b((?:network|e?ssid|hotspot|access point)\s+)([\"']).+?\2", r"\1<removed>"),
    (r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@", r"\1<removed>@"),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<e-mail>"),
    (r"(?i)\b[\w-]+\.(?:local|lan|home\.arpa|fritz\.box)\b", "<host>"),  # other people's laptops
    # Homes, also with spaces in the name (up to the next separator); drives, whose names people
    # choose; network shares.
    (r"(?i)\b[a-z]:[\\/]+(?:users|documents and settings)[\\/]+[^\\/\n\"']+", "~"),
    (r"/(?:home|Users)/[^/\n\"':,;)]+", "~"),
    (r"(?<!\w)/root(?=[/\s]|$)", "~"),
    (r"(?:/run)?/media/[^/\n\"':,;)]+(?:/[^/\n\"':,;)]+)?|/Volumes/[^/\n\"':,;)]+", "<drive>"),
    (r"(?<!\\)\\{2,4}[\w.$-]+\\{1,2}[^\s\\]+", "<share>"),
    (r"(?<![\w:/])//[\w.$-]+/[^\s/]+", "<share>"),
    (r"\b(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}\b", "<address>"),
    (r"\b(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}\b", "<address>"),
    (r"\b(?:\d{1,3}\.){3}\d{1,3}\b(?<!127\.0\.0\.1)(?<!0\.0\.0\.0)", "<address>"),
    # Where it is plugged in, and serial numbers: after their name, at the end of a port's name, or
    # long and of digits. macOS names Bluetooth's ports after the owner's devices.
    (r"(?i)\b(location(?:[ _]?id)?\s*[=:]?\s*)[\dx][\da-f]*-[\d.:]+", r"\1<place>"),
    (r"(?i)\b(usb )\d+-\d+(?:\.\d+)*", r"\1<place>"),
    (r"(?i)\b((?:ser(?:ial)?(?:[ _]?(?:number|no))?|SNR)\s*[=:]\s*)[^\s,;)]+", r"\1<serial>"),
    (r"(/dev/serial/by-id/)\S+", r"\1<serial>"),
    (r"(?i)((?:cu|tty)\.(?:usbmodem|usbserial|SLAB_USBtoUART|wchusbserial)-?)\w+", r"\1<serial>"),
    (r"(?i)(/dev/(?:cu|tty)\.)(?!usbmodem|usbserial|slab_|wchusb)[^\s:;,]+", r"\1<name>"),
    (r"(?i)(?<!sha256:)(?<!sha-256 )(?<!sha-256 is )\b(?=\w*\d)[0-9a-f]{10,}\b", "<serial>"),
    (r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,}\b", "<serial>"),
]
_URL_HOST = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(\[[^\]\s]*\]|[^\s/:,;)\]'\"]+)")
_HOSTS_TO_KEEP = {"localhost", "127.0.0.1", "0.0.0.0", "[::1]", "host"}  # the last: of a mend
_SITES_TO_KEEP = ("micropython.org", "github.com", "github.io")
_IPV6 = re.compile(r"(?i)(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15}(?:%\w+)?")


_SECRET_NAMES = re.compile(
    r"pass|secret|token|api_?key|ssid|psk|wi-?fi|credential|proxy", re.IGNORECASE
)
_SHORTEST_SECRET = 4
_NO_SECRETS = {"true", "false", "none", "auto", "localhost"}  # as switches are called
# Words of reports, and accounts that many have: they tell of nobody.
_COMMON = {"", "/", "root", "user", "pi", "localhost", "home", "runner", "python", "board"}
_COMMON |= {"workshop", "micropython", "virtual", "student", "guest", "admin", "linux", "demo"}


def without_private(text: str, names: Iterable[str] | None = None) -> str:
    """`text` without user and computer names, homes, addresses, secrets and serial numbers.

    Args:
        names: to remove beside what the rules know; None: this user, this computer.
    """
    for secret in own_secrets():
        text = text.replace(secret, "<removed>")
    for place, label in own_places().items():  # before the rules, which would cut O'Brien's home
        text = re.sub(rf"(?i){_any_slashes(place)}(?!\w)", lambda _, to=label: to, text)  # type: ignore[misc]
    text = _IPV6.sub(_without_ipv6, text)
    for pattern, instead in _RULES:  # before names: an address or a share goes as a whole
        text = re.sub(pattern, instead, text)
    text = _URL_HOST.sub(_without_host, text)
    for name in sorted(own_names() if names is None else names, key=len, reverse=True):
        if len(name) > 1:
            text = re.sub(rf"(?i)(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "~", text)
    return text


def _without_host(found: re.Match[str]) -> str:
    """Other people's laptops and a firm's servers have names as well."""
    host = found[2].lower()
    if host in _HOSTS_TO_KEEP or host.startswith("<"):
        return found[0]
    if any(host == site or host.endswith(f".{site}") for site in _SITES_TO_KEEP):
        return found[0]
    return f"{found[1]}<host>"


def _without_ipv6(found: re.Match[str]) -> str:
    for end in ("", ".", ":"):  # what the sentence adds
        with contextlib.suppress(ValueError):
            address = ipaddress.IPv6Address(found[0].removesuffix(end))
            keep = address.is_loopback or address.is_unspecified
            return found[0] if keep else "<address>" + (end if found[0].endswith(end) else "")
    # More groups than one that is neither an address nor a time: rather too much than too little.
    return "<address>" if found[0].count(":") > 2 else found[0]


def _any_slashes(path: str) -> str:
    """A pattern for a path, however its separators are written; Windows' may be doubled."""
    return r"[\\/]{1,2}".join(map(re.escape, re.split(r"[\\/]+", path)))


def own_secrets() -> list[str]:
    """What stands in environment variables that are named as secrets are, the longest first."""
    values = {value for name, value in os.environ.items() if _SECRET_NAMES.search(name)}
    values -= {value for value in values if value.lower() in _NO_SECRETS or value.isdigit()}
    return sorted((v for v in values if len(v) >= _SHORTEST_SECRET), key=len, reverse=True)


def own_places() -> Mapping[str, str]:
    """Folders and addresses of this user's -> what to say instead, the longest first.

    The values of WORKSHOP_... that are such, but not the port; the environment; this project; the
    home.
    """
    found = {
        value.rstrip("/\\"): f"<{name}>"
        for name, value in os.environ.items()
        if name.startswith("WORKSHOP_") and name != "WORKSHOP_PORT" and re.search(r"[\\/]", value)
    }
    if sys.prefix != sys.base_prefix:  # else it may be /usr, which tells of nobody
        found[sys.prefix] = "<Python>"
    found[str(ROOT)] = "<workshop>"
    for home in (os.path.expanduser("~"), os.path.expanduser(f"~{_user()}")):
        if not home.startswith("~"):  # who is not known has none
            found[home] = "~"
    long_enough = [place for place in found if len(re.sub(r"^[A-Za-z]:|[\\/]", "", place)) > 1]
    return {place: found[place] for place in sorted(long_enough, key=len, reverse=True)}


def own_names() -> set[str]:
    """What this user, this computer and their home folder are called, however it is encoded."""
    home = os.path.basename(os.path.expanduser("~"))
    found = {platform.node(), platform.node().split(".")[0], home, _user()} - {"~"}
    variables = ("USER", "LOGNAME", "USERNAME", "SUDO_USER", "COMPUTERNAME", "HOSTNAME")
    found |= {os.environ.get(name, "") for name in (*variables, "USERDOMAIN", "USERDNSDOMAIN")}
    accounts = re.compile(r"(?i)_(?:user(?:_?name)?|login)$")  # MQTT_USER, of an output
    found |= {value for name, value in os.environ.items() if accounts.search(name)}
    found |= {unicodedata.normalize(form, name) for name in found for form in ("NFC", "NFD")}
    return {name for name in found if name.lower() not in _COMMON}


def _user() -> str:
    with contextlib.suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""
