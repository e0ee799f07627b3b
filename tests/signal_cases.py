"""Runs a native module that works on arrays: as viper, as its twin, and with words of 32 bits."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import viper_words
from trees_cases import _has_short_floats, native_arch, run_script

from workshop_helpers import paths
from workshop_helpers.modules import build

VARIANTS = ("viper", "plain", "cpython")
Case = dict[str, Any]  # what the driver of the module wants; arrays as hex of their bytes


def module_dir(name: str, folder: Path, variant: str) -> Path:
    """A folder with one way to run the module, and nothing else."""
    target = folder / variant
    target.mkdir(exist_ok=True)
    if variant == "viper":
        build(name, native_arch(), target)
    elif variant == "plain":
        build(name, None, target)
    else:
        shutil.copy(paths.NATIVE_MODULES / f"{name}_ref.py", target / f"{name}.py")
    return target


def run(name: str, folder: Path, variant: str, cases: list[Case]) -> list[Any]:
    """What `signals_driver.py` says of each case, in a process of its own."""
    file = folder / "cases.json"
    file.write_text("\n".join(json.dumps(case) for case in cases))
    said = run_script(variant, "signals_driver.py", module_dir(name, folder, variant), name, file)
    answers = [json.loads(line) for line in said.splitlines()]
    assert len(answers) == len(cases), said
    return answers


def run_short_words(name: str, cases: list[Case]) -> list[Any]:
    """The same, of the viper source on a machine with 32-bit words."""
    driver = _driver()
    module: Any = viper_words.load(paths.NATIVE_MODULES / f"{name}.py", 32)
    module._want = lambda *_: None  # the look at a typecode is for MicroPython's arrays
    return [driver.RUN[name](module, dict(case)) for case in cases]


def _driver() -> ModuleType:
    path = Path(__file__).parent / "device" / "signals_driver.py"
    spec = importlib.util.spec_from_file_location("signals_driver", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def has_short_floats(variant: str) -> bool:
    """Whether the twin computes in float32: TEST_MICROPYTHON may name such a build."""
    return variant != "cpython" and _has_short_floats()


def to_hex(x: Any, dtype: str = "<f4") -> str:
    return np.ascontiguousarray(x, dtype).tobytes().hex()


def from_hex(text: str, dtype: str = "<f4") -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), dtype).astype(float)
