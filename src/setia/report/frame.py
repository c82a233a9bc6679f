"""What every drawing has around its marks: name and description, axes, grid lines, a legend.

A drawing has no viewBox: its unit is the CSS pixel and horizontal places are shares of the width, so that it fits a
telephone and a desk with letters of the same size. Its left gutter is padding that the style sheet gives by class.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from markupsafe import Markup

from setia.kernel.figure import Figure, Kind
from setia.kernel.i18n import Speaker
from setia.report.cells import short
from setia.report.elements import joined, share, tag
from setia.report.scales import EDGE, Scale, Tick

GUTTERS = {"none": 0, "small": 40, "medium": 60, "large": 88}
"""Room for the labels of the vertical axis in pixels, as `.gutter-*` in the style sheet gives it."""
TOP, PLOT = 30, 220
"""Heights in pixels: title of the vertical axis, the plot."""
NARROW_LINE = 36
"""Small letters across a telephone."""
NAME_AND_VALUE = 31
"""Characters of a name and its value on one line of a telephone; values are bold and wider."""
LETTER = 6.8
"""Width of a figure in pixels."""


def slug(name: str) -> str:
    """A name that may stand in an id."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "figure"


def document(figure: Figure, marks: str, height: float, gutter: str) -> Markup:
    """The whole drawing, named and described for people who hear it."""
    name = slug(figure.name)
    return tag(
        "svg",
        tag("title", figure.title, id=f"{name}-name"),
        tag("desc", figure.finding, id=f"{name}-desc"),
        marks,
        class_=f"drawing gutter-{gutter}",
        width="100%",
        height=height,
        overflow="visible",
        role="img",
        aria_labelledby=f"{name}-name {name}-desc",
        focusable="false",
    )


def gutter_for(scale: Scale, kind: Kind, speaker: Speaker) -> str:
    """The narrowest gutter that holds the labels of a vertical axis."""
    needed = max(len(short(kind, tick, speaker)) for tick in scale.ticks) * LETTER + 10
    return next((name for name, room in GUTTERS.items() if room >= needed), "large")


def vertical_axis(scale: Scale, kind: Kind, speaker: Speaker, title: str, gutter: str) -> Markup:
    """Grid lines with their values, the title above them, flush left."""
    parts = [fitting(title, NARROW_LINE, x=-GUTTERS[gutter], y=12, class_="axis-title")] if title else []
    for tick in scale.ticks:
        y = TOP + PLOT * (1 - scale.at(tick))
        kind_of_line = "zero" if abs(tick) < 1e-12 else "rule"
        parts.append(line(0, 1, y, kind_of_line))
        parts.append(words(short(kind, tick, speaker), x=-8, y=y + 4, text_anchor="end", class_="tick"))
    return joined(*parts)


def horizontal_axis(ticks: Sequence[Tick], title: str, bottom: float) -> Markup:
    """Labels below the plot, the title under their right end; labels near an end are set flush with it."""
    parts = []
    for tick in ticks:
        anchor, at = ("start", 0.0) if tick.at < EDGE else ("end", 1.0) if tick.at > 1 - EDGE else ("middle", tick.at)
        look = "tick" if tick.narrow else "tick wide"
        parts.append(words(tick.label, x=share(at), y=bottom + 18, text_anchor=anchor, class_=look))
    for n, text in enumerate(_wrapped(title)):
        parts.append(words(text, x="100%", y=bottom + 38 + 16 * n, text_anchor="end", class_="axis-title"))
    return joined(*parts)


def below(title: str) -> float:
    """Height of the labels and the title of a horizontal axis."""
    return 30 + 16 * len(_wrapped(title))


def _wrapped(title: str) -> list[str]:
    return textwrap.wrap(title, NARROW_LINE)


def legend(titles: Sequence[str], first_line: float = 12) -> Markup:
    """One line per series: a swatch and its title."""
    parts = []
    for n, title in enumerate(titles):
        y = first_line + 20 * n
        parts.append(tag("rect", x=0, y=y - 10, width=12, height=12, rx=2, class_=f"fill {series_class(n)}"))
        parts.append(fitting(title, NARROW_LINE - 4, x=20, y=y, class_="label"))
    return joined(*parts)


def series_class(n: int) -> str:
    """The class that colours the n-th series."""
    return f"series-{n % 4 + 1}"


def line(start: float, end: float, y: float, look: str) -> Markup:
    """A horizontal line between two shares of the width."""
    return tag("line", x1=share(start), x2=share(end), y1=y, y2=y, stroke="currentColor", class_=look)


def occasion(x: float, said: str) -> Markup:
    """A dashed upright line at a share of the width, where the calendar has something."""
    top, bottom = TOP - 8, TOP + PLOT
    return tag(
        "line",
        tag("title", said),
        x1=share(x),
        x2=share(x),
        y1=top,
        y2=bottom,
        stroke="currentColor",
        class_="occasion",
    )


def words(text: str, **attributes: str | float | None) -> Markup:
    """Text in the drawing."""
    return tag("text", text, font_size=12, fill="currentColor", **attributes)


def fitting(text: str, narrow: int, class_: str, **attributes: str | float | None) -> Markup:
    """Text in the drawing, cut to so many characters on a telephone and to twice as many elsewhere."""
    if len(text) <= narrow:
        return words(text, class_=class_, **attributes)
    return joined(
        words(_cut(text, 2 * narrow), class_=f"{class_} wide", **attributes),
        words(_cut(text, narrow), class_=f"{class_} slim", **attributes),
    )


def beside(value: str) -> int:
    """Characters of a name that fit beside its value on a telephone; the table has the name in full."""
    return max(8, int(NAME_AND_VALUE - 1.15 * len(value)))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
