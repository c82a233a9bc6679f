"""A page as one HTML file that needs nothing else: no network, no font, no library."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from setia.kernel.figure import Column, Figure, Headline, Page, Section
from setia.kernel.i18n import Speaker
from setia.report.cells import celled, headed
from setia.report.drawing import svg
from setia.report.frame import slug
from setia.report.grid import Grid, laid_out
from setia.report.labels import labels

if TYPE_CHECKING:
    from jinja2 import Environment

SHORT_TABLE = 8
"""Rows up to which a table stands open beside its drawing."""
_ROW_HEADS = ("text", "date", "month")


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure ready for the template: its drawing is markup, its cells are texts."""

    id: str
    figure: Figure
    drawing: str
    grid: Grid | None
    columns: list[tuple[str, Column]]
    rows: list[list[str]]
    folded: bool
    row_heads: bool
    has_occasions: bool


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section ready for the template."""

    id: str
    section: Section
    headlines: tuple[Headline, ...]
    figures: list[FigureView]


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything that the template knows."""

    page: Page
    labels: dict[str, str]
    sections: list[SectionView]
    style: str
    script: str
    policy: str
    has_analyst: bool


def render(page: Page, speaker: Speaker) -> str:
    """The page as a complete HTML document under a strict Content-Security-Policy.

    The policy admits the one style sheet and the one script in it, by their SHA-256, and nothing from outside.
    """
    from markupsafe import Markup

    style, script = _part("report.css"), _part("report.js")
    view = PageView(
        page,
        {**labels(speaker), **page.labels},
        [_section(section, speaker) for section in page.sections],
        Markup(style),
        Markup(script),
        policy(style, script),
        any(section.analyst for section in page.sections),
    )
    return _templates().get_template("report.html.jinja").render(view=view)


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy for exactly this style sheet and this script."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def as_json(page: Page) -> dict[str, Any]:
    """The page as plain data for JSON: dates in ISO form, decimals as text, numbers that are none as null.

    Rows hold the declared columns only.
    """
    return {
        "language": page.language,
        "title": page.title,
        "subtitle": page.subtitle,
        "footer": page.footer,
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "lead": section.lead,
                "analyst": section.analyst,
                "headlines": [dataclasses.asdict(headline) for headline in section.headlines],
                "calculator": dataclasses.asdict(section.calculator) if section.calculator else None,
                "figures": [_figure_data(figure) for figure in section.figures],
            }
            for section in page.sections
        ],
    }


def _figure_data(figure: Figure) -> dict[str, Any]:
    kept = ("name", "title", "finding", "mark", "x", "y", "stepped", "how", "note", "marks")
    data: dict[str, Any] = {key: getattr(figure, key) for key in kept}
    data["series"] = list(figure.series)
    data["columns"] = [dataclasses.asdict(column) for column in figure.columns]
    data["rows"] = [{column.key: _plain(row.get(column.key)) for column in figure.columns} for row in figure.rows]
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _section(section: Section, speaker: Speaker) -> SectionView:
    name = slug(section.name)
    figures = [_figure(dataclasses.replace(f, name=f"{name}-{slug(f.name)}"), speaker) for f in section.figures]
    return SectionView(name, section, section.headlines, figures)


def _figure(figure: Figure, speaker: Speaker) -> FigureView:
    grid = laid_out(figure, speaker) if figure.mark == "grid" and figure.rows and figure.series else None
    drawing = svg(figure, speaker)
    rows = [[celled(column, row.get(column.key), speaker) for column in figure.columns] for row in figure.rows]
    return FigureView(
        figure.name,
        figure,
        drawing,
        grid,
        [(headed(column, speaker), column) for column in figure.columns],
        rows,
        folded=bool(drawing) and len(rows) > SHORT_TABLE,
        row_heads=bool(figure.columns) and figure.columns[0].kind in _ROW_HEADS,
        has_occasions=bool(drawing and figure.marks and any(row.get(figure.marks) for row in figure.rows)),
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _part(name: str) -> str:
    from importlib import resources

    return (resources.files("setia.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("setia.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["kebab"] = lambda name: re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()
    return made
