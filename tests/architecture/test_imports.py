"""What a command or `import setia` may load: heavy libraries wait until they are needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("ibis", "duckdb", "scipy", "numpy", "pyarrow", "sqlalchemy", "pydantic", "jinja2", "liquid", "rich.progress")


@pytest.mark.parametrize("statement", ["import setia", "import setia.cli"])
def test_heavy_libraries_are_imported_late(statement: str) -> None:
    code = f"import sys; {statement}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
