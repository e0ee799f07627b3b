"""Run cases of the modules that work on plain arrays, in each way there is to run them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from trees_cases import native_arch, run_script

from workshop_helpers import paths
from workshop_helpers.modules import build

VARIANTS = ("viper", "plain", "cpython")


def module_dir(folder: Path, name: str, variant: str) -> Path:
    """A folder with one way to run the module, and nothing else."""
    target = folder / f"{name}_{variant}"
    target.mkdir(exist_ok=True)
    if variant == "cpython":
        shutil.copy(paths.NATIVE_MODULES / f"{name}_ref.py", target / f"{name}.py")
    else:
        build(name, native_arch() if variant == "viper" else None, target)
    return target


def run_cases(folder: Path, name: str, variant: str, cases: list[Any]) -> list[Any]:
    """The answer to each case, {"error": text} where it is a ValueError."""
    (folder / "cases.json").write_text(json.dumps(cases))
    module = module_dir(folder, name, variant)
    said = run_script(variant, "array_modules_driver.py", name, module, folder / "cases.json")
    assert "Traceback" not in said, said  # this interpreter exits with 0 after one
    answers = [json.loads(line) for line in said.splitlines()]
    assert len(answers) == len(cases)
    return answers


def packed(typecode: str, data: np.ndarray | bytes) -> list[str]:
    return [typecode, bytes(data).hex()]
