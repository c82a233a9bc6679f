"""Figures as static SVG: no script, no font, no colour of its own; the style sheet gives colours by class."""

from __future__ import annotations

from setia.kernel.figure import Figure
from setia.kernel.i18n import Speaker
from setia.report import svg_bars, svg_intervals, svg_line

_MARKS = {"line": svg_line.draw, "bars": svg_bars.draw, "intervals": svg_intervals.draw}


def svg(figure: Figure, speaker: Speaker) -> str:
    """The figure's drawing as one inline SVG element, safe to put into a page as it is.

    "" for a figure without rows or values, and for the marks that are tables (`none`, `grid`). Axis values are
    formatted by `speaker`; texts are 12 CSS pixels at every width.
    """
    draw = _MARKS.get(figure.mark)
    if draw is None or not figure.rows or not figure.series:
        return ""
    return draw(figure, speaker)
