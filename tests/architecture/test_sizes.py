"""The house stays small: past a size a noun is missing."""

from __future__ import annotations

import ast
from pathlib import Path

import setia

SOURCE = Path(setia.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 60
FORBIDDEN = {"utils", "common", "helpers", "manager", "base"}


def test_files_are_short() -> None:
    long = {str(f.relative_to(SOURCE)): n for f in FILES if (n := len(f.read_text().splitlines())) > MOST_LINES}
    assert long == {}


def test_functions_are_short() -> None:
    long = {}
    for file in FILES:
        if "versions" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    long[f"{file.relative_to(SOURCE)}:{node.name}"] = lines
    assert long == {}


def test_no_drawer_for_everything() -> None:
    assert [str(f) for f in FILES if f.stem in FORBIDDEN or f.parent.name in FORBIDDEN] == []


def test_only_settings_reads_the_environment() -> None:
    readers = [str(f.relative_to(SOURCE)) for f in FILES if "os.environ" in f.read_text() or "getenv" in f.read_text()]
    assert readers == []


def test_rooms_do_not_read_the_clock() -> None:
    """`datetime.now` stands in the composition root alone; a rule gets the time as an argument."""
    readers = {
        str(f.relative_to(SOURCE)) for f in FILES if "datetime.now(" in f.read_text() or ".today(" in f.read_text()
    }
    assert readers == {"app.py"}
