"""Parameters of a notebook: assignments in one tagged cell, overridden by a cell put after it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ..errors import CourseError
from .exercises import tags_of
from .files import new_code_cell


def declared_parameters(notebook: Any) -> set[str]:
    """Names assigned in the cell tagged `parameters`; empty if there is none."""
    names: set[str] = set()
    for cell in notebook["cells"]:
        if "parameters" in tags_of(cell):
            for node in ast.parse(cell["source"]).body:
                targets = node.targets if isinstance(node, ast.Assign) else []
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def inject(notebook: Any, parameters: Mapping[str, object], name: str = "notebook") -> None:
    """Put a cell with these values after the notebook's parameters cell (changes the notebook).

    Raises:
        CourseError: the notebook declares no such parameter, or a value is not a literal.
    """
    if not parameters:
        return
    unknown = sorted(set(parameters) - declared_parameters(notebook))
    if unknown:
        raise CourseError(f"{name} has no parameter {', '.join(unknown)}.")
    lines = ["# Values for this run"]
    for key, value in parameters.items():
        try:
            literal = ast.literal_eval(repr(value)) == value
        except (ValueError, SyntaxError):
            literal = False
        if not literal:
            raise CourseError(f"{name}: the value of {key} is not a literal: {value!r}.")
        lines.append(f"{key} = {value!r}")
    cell = new_code_cell("\n".join(lines), ["injected-parameters"])
    at = next(i for i, c in enumerate(notebook["cells"]) if "parameters" in tags_of(c))
    notebook["cells"].insert(at + 1, cell)
