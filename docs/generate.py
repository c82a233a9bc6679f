"""Writes the pages that follow from the code: `python -m docs.generate`, or `make docs`.

Everything under docs/reference and docs/map.md. The same code always gives the same pages.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from docs.generated import commands, declarations, errors, formats, map, python
from docs.generated.markdown import NOTE

FOLDER = Path(__file__).parent
PAGES: dict[str, Callable[[], str]] = {
    "reference/facts.md": declarations.facts,
    "reference/traits.md": declarations.traits,
    "reference/metrics.md": declarations.metrics,
    "reference/settings.md": declarations.settings,
    "reference/programme.md": declarations.programme,
    "reference/cli.md": commands.page,
    "reference/formats.md": formats.page,
    "reference/errors.md": errors.page,
    "reference/python.md": python.page,
    "map.md": map.page,
}


def write(folder: Path) -> list[Path]:
    """Write every generated page below a folder; returns their paths."""
    written = []
    for name, page in PAGES.items():
        written.append(_written(folder / name, f"{NOTE}\n\n{page().strip()}\n"))
    schema = json.dumps(declarations.programme_schema(), indent=2, ensure_ascii=False)
    return [*written, _written(folder / "reference" / "programme.schema.json", f"{schema}\n")]


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def main() -> None:
    """Write the pages beside this file, or into another folder."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder to write into")
    write(parser.parse_args().into)


if __name__ == "__main__":
    main()
