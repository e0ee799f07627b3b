"""requirements.lock, read: what a Python on a platform needs, and which files may be it."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from .. import paths
from ..errors import BundleError

LOCKS = ("requirements.lock", "requirements-test.lock")
FLASH_LOCK = "requirements-flash.lock"
PYTHONS = tuple(f"3.{minor}" for minor in range(11, 15))
# Wheels for Linux are built against a glibc; 2.28 is that of 2018.
_GLIBC_MINORS = range(28, 4, -1)
_OLD_LINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
# The oldest for which there is a wheel of everything. A wheel for a newer one, which pip would take
# first, leaves out all Macs before it.
_OLDEST_MACOS = {"arm64": (12, 0), "x86_64": (11, 0)}


@dataclass(frozen=True)
class Platform:
    """A kind of laptop, as the markers of a lock and the tags of wheels see it."""

    name: str
    sys_platform: str
    os_name: str
    system: str
    machine: str

    def tags(self) -> list[str]:
        """Platform tags of the wheels that run there, best first."""
        from packaging.tags import mac_platforms

        if self.sys_platform == "linux":
            tags = []
            for minor in _GLIBC_MINORS:
                tags.append(f"manylinux_2_{minor}_{self.machine}")
                if minor in _OLD_LINUX:
                    tags.append(f"{_OLD_LINUX[minor]}_{self.machine}")
            return tags
        if self.sys_platform == "darwin":
            return list(mac_platforms(_OLDEST_MACOS[self.machine], self.machine))
        return ["win_amd64"]


PLATFORMS = {
    p.name: p
    for p in (
        Platform("linux-x86_64", "linux", "posix", "Linux", "x86_64"),
        Platform("linux-aarch64", "linux", "posix", "Linux", "aarch64"),
        Platform("macos-arm64", "darwin", "posix", "Darwin", "arm64"),
        Platform("macos-x86_64", "darwin", "posix", "Darwin", "x86_64"),
        Platform("windows-x86_64", "win32", "nt", "Windows", "AMD64"),
    )
}


def this_platform() -> str:
    """The name of this laptop's platform. Raises BundleError if it is none of those."""
    for name, known in PLATFORMS.items():
        if (sys.platform, platform.machine()) == (known.sys_platform, known.machine):
            return name
    raise BundleError(
        f"There are no wheels for this system ({sys.platform}, {platform.machine()}).",
        f"Name another with --platform: {', '.join(PLATFORMS)}.",
    )


def this_python() -> str:
    return "{}.{}".format(*sys.version_info[:2])


def environments(target: Platform, python: str) -> Iterator[dict[str, str]]:
    """What a lock's markers see there, for the first and the last release of a Python."""
    for full in (f"{python}.99", f"{python}.0"):
        yield {
            "python_full_version": full,
            "python_version": python,
            "sys_platform": target.sys_platform,
            "os_name": target.os_name,
            "platform_system": target.system,
            "platform_machine": target.machine,
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
        }


def needed(target: Platform, python: str, lock: str) -> list[tuple[str, list[str]]]:
    """What pip is to be asked for, release of Python -> lines of a requirements file, with hashes.

    pip would evaluate the markers for the Python that it runs on, so there are none in the lines.
    The second group holds only what the first release of that Python needs otherwise.
    """
    from packaging.requirements import Requirement

    groups: list[tuple[str, list[str]]] = []
    seen: set[str] = set()
    for environment in environments(target, python):
        lines = []
        for text, hashes in _entries(lock):
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                line = f"{requirement.name}{requirement.specifier}"
                line += "".join(f" --hash=sha256:{value}" for value in hashes)
                if line not in seen:
                    seen.add(line)
                    lines.append(line)
        groups.append((environment["python_full_version"], lines))
    return [group for group in groups if group[1]]


def fits(wheel: str, targets: list[tuple[Platform, str]]) -> bool:
    """Whether a wheel, by its file name, runs on any of the targets."""
    from packaging.tags import compatible_tags, cpython_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        tags = parse_wheel_filename(wheel)[3]
    except InvalidWheelFilename:
        return False
    for target, python in targets:
        version, platforms = tuple(map(int, python.split("."))), target.tags()
        interpreter = "cp" + python.replace(".", "")
        for tag in cpython_tags(version, [interpreter], platforms):
            if tag in tags:
                return True
        if any(tag in tags for tag in compatible_tags(version, interpreter, platforms)):
            return True
    return False


def locked_hashes() -> set[str]:
    """SHA-256 of every file that the locks allow."""
    return {value for lock in LOCKS for _, hashes in _entries(lock) for value in hashes}


def flash_hashes() -> set[str]:
    """SHA-256 of every file that requirements-flash.lock allows; none without that lock."""
    if not (paths.ROOT / FLASH_LOCK).is_file():
        return set()
    return {value for _, hashes in _entries(FLASH_LOCK) for value in hashes}


def project_lock_sha256() -> str:
    """SHA-256 of requirements.lock, whatever line ends a check-out gave it."""
    return hashlib.sha256(_text(LOCKS[0]).encode()).hexdigest()


def _entries(lock: str) -> Iterator[tuple[str, list[str]]]:
    """(requirement, hashes) of each entry of a lock."""
    text = re.sub(r"^#.*\n", "", _text(lock), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split(" --hash=sha256:")
        yield requirement.strip(), [value.strip() for value in hashes]


def _text(lock: str) -> str:
    try:
        return (paths.ROOT / lock).read_bytes().replace(b"\r\n", b"\n").decode()
    except OSError as error:
        raise BundleError(
            f"{lock} can't be read: {error.strerror}.", "Get the workshop's files again."
        ) from None
