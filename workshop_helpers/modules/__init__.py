"""Native modules: which architecture, build, install."""

from __future__ import annotations

from .arch import ARCHES, arch_of
from .build import BuiltModule, build
from .install import InstalledModule, install, install_for, source_for

__all__ = [
    "ARCHES",
    "BuiltModule",
    "InstalledModule",
    "arch_of",
    "build",
    "install",
    "install_for",
    "source_for",
]
