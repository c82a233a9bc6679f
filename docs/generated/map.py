"""The map of the house: the rooms in import order, each with its modules."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from docs.generated.markdown import first_line

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "setia"
INTRODUCTION = """# The map

*For whoever looks for the place of a change.* Rooms stand in import order, the foundation last: a room may import what
stands below it and never what stands above or beside it. `make test` checks this with the layers in `pyproject.toml`.
Orders flow the other way: up from `sources` through `warehouse`, `metrics`, `customers`, `predictions` and `segments`
to `programmes`, `messaging` and `channels`; `effects` says what that caused.
"""


def layers() -> list[list[str]]:
    """The layers of rooms from the top down, from the import contract."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (found,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in found]


def page() -> str:
    """The page."""
    rooms = [_room(room) for layer in layers() for room in layer]
    return "\n\n".join([INTRODUCTION.strip(), *rooms])


def _room(name: str) -> str:
    folder = HOUSE / name
    if not folder.is_dir():
        return f"## [{name}](../src/setia/{name}.py)\n\n{_says(HOUSE / f'{name}.py')}"
    parts = [f"## [{name}](../src/setia/{name})", _says(folder / "__init__.py")]
    modules = [_line(file, folder) for file in sorted(folder.rglob("*.py")) if file.parent != folder or _named(file)]
    return "\n\n".join([*parts, *(["\n".join(modules)] if modules else [])])


def _named(file: Path) -> bool:
    return file.name != "__init__.py"


def _line(file: Path, folder: Path) -> str:
    shown = file.relative_to(folder).as_posix().removesuffix("/__init__.py").removesuffix(".py")
    slash = "" if _named(file) else "/"
    return f"- [`{shown}{slash}`](../{file.relative_to(ROOT).as_posix()}): {_says(file)}"


def _says(file: Path) -> str:
    return first_line(ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))))
