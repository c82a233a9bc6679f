"""Intervals: an estimate with what is likely around it, one row per name."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup

from setia.kernel.figure import Figure
from setia.kernel.i18n import Speaker
from setia.report.cells import formatted, short
from setia.report.elements import joined, share, tag
from setia.report.frame import below, beside, document, fitting, horizontal_axis, line, words
from setia.report.scales import Scale, kind_of, number_of, round_ticks, scale_over, title_of

ROW = 52


def draw(figure: Figure, speaker: Speaker) -> Markup:
    """The interval drawing, "" where no row has an estimate."""
    if len(figure.series) != 3:
        return Markup("")
    numbers = [v for row in figure.rows for key in figure.series if (v := number_of(row.get(key))) is not None]
    if not any(number_of(row.get(figure.series[0])) is not None for row in figure.rows):
        return Markup("")
    kind = kind_of(figure, figure.series[0])
    scale = scale_over(numbers, kind, most=5)
    height = ROW * len(figure.rows) + 4
    parts = [_guide(scale, tick, height) for tick in scale.ticks]
    parts += [_row(figure, speaker, scale, row, ROW * n) for n, row in enumerate(figure.rows)]
    title = title_of(figure, figure.series[0], speaker)
    parts.append(horizontal_axis(round_ticks(scale, kind, speaker), title, height))
    return document(figure, joined(*parts), height + below(title), "none")


def _guide(scale: Scale, tick: float, height: float) -> Markup:
    look = "zero" if math.isclose(tick, 0, abs_tol=1e-12) else "rule"
    x = share(scale.at(tick))
    return tag("line", x1=x, x2=x, y1=0, y2=height, stroke="currentColor", class_=look)


def _row(figure: Figure, speaker: Speaker, scale: Scale, row: dict[str, Any], y: float) -> Markup:
    estimate, low, high = (number_of(row.get(key)) for key in figure.series)
    kind = kind_of(figure, figure.series[0])
    name = formatted(kind_of(figure, figure.x), row.get(figure.x), speaker)
    value = short(kind, row.get(figure.series[0]), speaker) if estimate is not None else speaker.missing
    parts = [
        fitting(name, beside(value), x=0, y=y + 16, class_="label halo"),
        words(value, x="100%", y=y + 16, text_anchor="end", class_="value halo"),
    ]
    if low is not None and high is not None:
        parts.append(line(scale.at(low), scale.at(high), y + 33, "whisker series-1"))
    if estimate is not None:
        said = f"{name}: " + " … ".join(
            formatted(kind, row.get(key), speaker) for key in (figure.series[1], figure.series[0], figure.series[2])
        )
        parts.append(
            tag("circle", tag("title", said), cx=share(scale.at(estimate)), cy=y + 33, r=6, class_="dot series-1")
        )
    return joined(*parts)
