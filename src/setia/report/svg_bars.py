"""Bars: columns over numbers, days and months; lying bars under their names over text."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from setia.kernel.figure import Figure
from setia.kernel.i18n import Speaker
from setia.report.cells import formatted, short
from setia.report.elements import joined, share, tag
from setia.report.frame import (
    NARROW_LINE,
    PLOT,
    TOP,
    below,
    beside,
    document,
    fitting,
    gutter_for,
    horizontal_axis,
    legend,
    line,
    occasion,
    series_class,
    vertical_axis,
    words,
)
from setia.report.scales import Scale, kind_of, number_of, scale_over, sparse, title_of

FEWEST_SLOTS = 4
"""Columns are never wider than a quarter of the drawing."""
VALUES_ROOM = 36
"""Values stand on the columns as long as they need no more characters than this side by side."""


def draw(figure: Figure, speaker: Speaker) -> Markup:
    """The bar drawing, "" where there is nothing to draw."""
    numbers = [v for row in figure.rows for key in figure.series if (v := number_of(row.get(key))) is not None]
    if not numbers:
        return Markup("")
    scale = scale_over(numbers, kind_of(figure, figure.series[0]))
    return _lying(figure, speaker, scale) if kind_of(figure, figure.x) == "text" else _standing(figure, speaker, scale)


def _standing(figure: Figure, speaker: Speaker, scale: Scale) -> Markup:
    kind, across = kind_of(figure, figure.series[0]), kind_of(figure, figure.x)
    single = len(figure.series) == 1
    down = 0 if single else 20 * (len(figure.series) - 1) + 8
    slots = max(FEWEST_SLOTS, len(figure.rows))
    columns = [_column(figure, speaker, scale, n, slots) for n in range(len(figure.rows))]
    names = [short(across, row.get(figure.x), speaker) for row in figure.rows]
    gutter = gutter_for(scale, kind, speaker)
    title = title_of(figure, figure.series[0], speaker) if single else ""
    across_title = title_of(figure, figure.x, speaker)
    plot = joined(
        vertical_axis(scale, kind, speaker, title, gutter),
        *(
            occasion((n + 0.5) / slots, row[figure.marks])
            for n, row in enumerate(figure.rows)
            if figure.marks and row.get(figure.marks)
        ),
        *columns,
        horizontal_axis(
            sparse(names, [(n + 0.5) / slots for n in range(len(names))]),
            across_title,
            TOP + PLOT,
        ),
    )
    if not single:
        keys = legend([title_of(figure, key, speaker) for key in figure.series])
        plot = joined(keys, tag("g", plot, transform=f"translate(0 {down})"))
    return document(figure, plot, TOP + PLOT + below(across_title) + down, gutter)


def _column(figure: Figure, speaker: Speaker, scale: Scale, n: int, slots: int) -> Markup:
    """One row's columns, side by side in its slot."""
    row, gap, parts = figure.rows[n], 0.22, []
    width = (1 - gap) / slots / len(figure.series)
    values = [formatted(kind_of(figure, key), row.get(key), speaker) for key in figure.series]
    texts = [short(kind_of(figure, key), row.get(key), speaker) for key in figure.series]
    with_values = len(figure.series) == 1 and len(figure.rows) * (len(texts[0]) + 1) <= VALUES_ROOM
    for k, key in enumerate(figure.series):
        number = number_of(row.get(key))
        if number is None:
            continue
        low, high = sorted((scale.at(0), scale.at(number)))
        y, x = TOP + PLOT * (1 - high), (n + gap / 2) / slots + k * width
        said = f"{formatted(kind_of(figure, figure.x), row.get(figure.x), speaker)}: {values[k]}"
        parts.append(_bar(said, x, width * 0.94, y, PLOT * (high - low), k))
        if with_values:
            parts.append(words(texts[k], x=share(x + width / 2), y=y - 6, text_anchor="middle", class_="value"))
    return joined(*parts)


def _lying(figure: Figure, speaker: Speaker, scale: Scale) -> Markup:
    """Each row's name over its bars, each bar with its value at the right end of the line above."""
    single, parts, y = len(figure.series) == 1, [], 0.0
    for row in figure.rows:
        name = formatted("text", row.get(figure.x), speaker)
        if not single:
            parts.append(fitting(name, NARROW_LINE, x=0, y=y + 14, class_="label strong"))
            y += 24
        for k, key in enumerate(figure.series):
            parts.append(
                _lying_bar(figure, speaker, scale, row, k, name if single else title_of(figure, key, speaker), y)
            )
            y += 42 if single else 36
        y += 0 if single else 10
    zero = scale.at(0)
    if zero > 0:
        parts.append(tag("line", x1=share(zero), x2=share(zero), y1=0, y2=y, stroke="currentColor", class_="zero"))
    return document(figure, joined(*parts), y, "none")


def _lying_bar(
    figure: Figure, speaker: Speaker, scale: Scale, row: dict[str, Any], k: int, name: str, y: float
) -> Markup:
    key = figure.series[k]
    value = formatted(kind_of(figure, key), row.get(key), speaker)
    parts = [
        fitting(name, beside(value), x=0, y=y + 13, class_="label"),
        words(value, x="100%", y=y + 13, text_anchor="end", class_="value"),
        line(0, 1, y + 25, "track"),
    ]
    number = number_of(row.get(key))
    if number is not None:
        low, high = sorted((scale.at(0), scale.at(number)))
        parts.append(_bar(f"{name}: {value}", low, high - low, y + 21, 8, k))
    return joined(*parts)


def _bar(said: str, x: float, width: float, y: float, height: float, n: int) -> Markup:
    return tag(
        "rect",
        tag("title", said),
        x=share(x),
        y=y,
        width=share(width),
        height=height,
        rx=2,
        class_=f"fill {series_class(n)}",
    )
