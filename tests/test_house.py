"""Rules of the house that no linter knows: layers, hosts, sizes, what is never called."""

from __future__ import annotations

import ast
import re
import subprocess
import warnings
from pathlib import Path

import pytest

from workshop_helpers.paths import DEVICE_SCRIPTS, NATIVE_MODULES, ROOT

PACKAGE = ROOT / "workshop_helpers"
ON_THE_BOARD = PACKAGE / "board" / "virtual" / "device"
HOST_FILES = sorted(p for p in PACKAGE.rglob("*.py") if not p.is_relative_to(ON_THE_BOARD))
DEVICE_FILES = sorted(
    [
        *DEVICE_SCRIPTS.rglob("*.py"),
        *NATIVE_MODULES.rglob("*.py"),
        *ON_THE_BOARD.rglob("*.py"),
    ]
)
LONGEST_FILE = 300
LONG_FILES = {
    "native_modules/emlearn_bayes.py": "one .mpy is built from one file",
    "native_modules/emlearn_fft.py": "one .mpy is built from one file",
    "native_modules/emlearn_fft_fpu.py": "one .mpy is built from one file",
    "native_modules/emlearn_gmm.py": "one .mpy is built from one file",
    "native_modules/emlearn_kmeans.py": "one .mpy is built from one file",
    "native_modules/emlearn_linreg.py": "one .mpy is built from one file",
    "native_modules/emlearn_linreg_fpu.py": "one .mpy is built from one file",
    "native_modules/emlearn_mlp.py": "one .mpy is built from one file",
    "native_modules/emlearn_neighbors.py": "one .mpy is built from one file",
    "native_modules/emlearn_trees.py": "one .mpy is built from one file",
    "workshop_helpers/board/transport.py": "all that is known of mpremote's quirks, in one place",
}

# Layers from the bottom up. At load time a module imports only from layers below its own, and from
# its own package. What it needs from above it imports inside a function.
LAYERS = (
    ("error_page", "network", "notebook", "programs", "text"),
    ("energy", "errors", "files", "options", "start"),
    ("paths",),
    ("board", "modules", "datasets", "plots"),
    ("budget", "failures", "features", "firmware", "health", "recordings"),
    ("model", "stream"),
    ("bundle", "course", "demo", "doctor", "testing"),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """Files under version control, or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        out = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this copy of the project is not a git clone")
    names = out.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def loaded_modules(path: Path) -> set[str]:
    """Absolute names of what a module of ours imports when it is loaded."""
    package = [*path.relative_to(ROOT).parts[:-1]]
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue  # runs later
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue  # never runs
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                stem = ".".join([*base, *([child.module] if child.module else [])])
                found.add(stem)
                found.update(f"{stem}.{alias.name}" for alias in child.names)
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def part_of(module: str) -> str | None:
    """'workshop_helpers.board.info' -> 'board'; None for other packages and for the package."""
    parts = module.split(".")
    return parts[1] if parts[0] == PACKAGE.name and len(parts) > 1 else None


def test_there_is_something_to_look_at():
    assert len(HOST_FILES) > 20 and len(DEVICE_FILES) > 3


@pytest.mark.parametrize("path", HOST_FILES, ids=name_of)
def test_imports_run_downwards(path):
    inner = path.relative_to(PACKAGE).with_suffix("").parts
    if inner == ("__init__",):
        assert {part_of(name) for name in loaded_modules(path)} <= {None}
        return
    own = inner[0]
    assert own in LEVEL, f"{own} has no place in LAYERS yet"
    for module in loaded_modules(path):
        other = part_of(module)
        if other in LEVEL and other != own:
            assert LEVEL[other] < LEVEL[own], f"{own} imports {module} when it is loaded"


def test_only_the_transport_knows_mpremote():
    users = {
        name_of(path)
        for path in HOST_FILES
        if re.search(r"^\s*(from|import) mpremote\b", path.read_text(encoding="utf-8"), re.M)
    }
    assert users == {"workshop_helpers/board/transport.py"}


@pytest.mark.parametrize("path", HOST_FILES + DEVICE_FILES, ids=name_of)
def test_no_file_is_too_long(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_FILE or name_of(path) in LONG_FILES


@pytest.mark.parametrize("path", HOST_FILES, ids=name_of)
def test_nothing_is_evaluated_on_the_host(path):
    """What a board says is data. (`board.eval` and `board.exec` are methods and run over there.)"""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"line {node.lineno}"


def test_nothing_of_one_machine_is_in_the_repository():
    """No home folders, no work folders, no package hosts: it must work from any clone."""
    home = r"/(home|Users)/[A-Za-z0-9_.-]+/"
    work = "/" + r"(work|root)/[a-z.]"
    hosts = r"pypi\." + r"org|files\.python" + r"hosted|registry\.npm" + r"js|deb\.debian"
    unwanted = re.compile(f"{home}|(?<![A-Za-z0-9._$}}]){work}|{hosts}")
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and recordings
        for number, line in enumerate(text.splitlines(), 1):
            if unwanted.search(line):
                found.append(f"{name_of(path)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_importing_the_package_is_quick_to_ask_for():
    """`import workshop_helpers` loads none of the heavy libraries."""
    import sys

    heavy = {"numpy", "sklearn", "matplotlib", "IPython", "serial", "mpremote"}
    code = f"import sys, workshop_helpers; print(sorted({heavy!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert out.stdout.strip() == "[]", out.stderr


@pytest.mark.parametrize("kind", [DeprecationWarning, PendingDeprecationWarning])
@pytest.mark.parametrize("ours", ["workshop", "workshop_helpers.board.files"])
def test_what_we_use_although_it_is_deprecated_fails_a_test(kind, ours):
    with pytest.raises(kind):
        warnings.warn_explicit("to go", kind, "some.py", 1, module=ours)
    with pytest.warns(kind):  # a library's own affair
        warnings.warn_explicit("to go", kind, "some.py", 1, module="sklearn.base")
