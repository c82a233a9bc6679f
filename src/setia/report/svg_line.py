"""Lines: one or more series over a number, a day or a month; stepped for survival curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from setia.kernel.figure import Figure
from setia.kernel.i18n import Speaker
from setia.report.cells import formatted
from setia.report.elements import joined, share, tag
from setia.report.frame import (
    PLOT,
    TOP,
    below,
    document,
    fitting,
    gutter_for,
    horizontal_axis,
    occasion,
    series_class,
    vertical_axis,
    words,
)
from setia.report.scales import Scale, Tick, kind_of, number_of, round_ticks, scale_over, sparse, title_of

WIDTH = 1000
"""Units across the stretched inner drawing that holds the paths."""
MOST_DOTS = 40
"""Up to so many points each have a dot or at least a value to hover over."""

NAME_WIDTH = 0.4
"""Share of the width that a series' title takes, about."""


@dataclass(frozen=True, slots=True)
class Point:
    """A row's place (shares of width and height, from the bottom left) and what it says."""

    x: float
    y: float
    said: str
    value: str


def draw(figure: Figure, speaker: Speaker) -> Markup:
    """The line drawing, "" where there is nothing to draw."""
    rows = [row for row in figure.rows if row.get(figure.x) is not None]
    numbers = [v for row in rows for key in figure.series if (v := number_of(row.get(key))) is not None]
    if not numbers:
        return Markup("")
    kind = kind_of(figure, figure.series[0])
    vertical = scale_over(numbers, kind)
    places, ticks = _across(figure, speaker, [row[figure.x] for row in rows])
    gutter = gutter_for(vertical, kind, speaker)
    lines = [_points(figure, speaker, rows, places, key, vertical) for key in figure.series]
    single = len(figure.series) == 1
    across_title = title_of(figure, figure.x, speaker)
    marks = joined(
        vertical_axis(vertical, kind, speaker, title_of(figure, figure.series[0], speaker) if single else "", gutter),
        horizontal_axis(ticks, across_title, TOP + PLOT),
        *(
            occasion(x, row[figure.marks])
            for row, x in zip(rows, places, strict=True)
            if figure.marks and row.get(figure.marks)
        ),
        _paths(lines, figure.stepped, vertical),
        *(_dots(line, n, figure.stepped) for n, line in enumerate(lines)),
        _last_value(lines[0]) if single else _names(lines, [title_of(figure, key, speaker) for key in figure.series]),
    )
    return document(figure, marks, TOP + PLOT + below(across_title), gutter)


def _across(figure: Figure, speaker: Speaker, values: list[object]) -> tuple[list[float], list[Tick]]:
    """Each row's share of the width, and the ticks of the horizontal axis."""
    kind = kind_of(figure, figure.x)
    numbers = [number_of(value) for value in values]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or kind == "text":
        places = [n / max(1, len(values) - 1) for n in range(len(values))]
    elif kind in ("date", "month") or len(known) < 2:
        spread = max(known) - min(known) or 1.0
        places = [(number - min(known)) / spread for number in known]
    else:
        scale = _close_fit(known, scale_over(known, kind, most=7))
        return [scale.at(number) for number in known], round_ticks(scale, kind, speaker)
    return places, sparse([formatted(kind, value, speaker) for value in values], places)


def _close_fit(numbers: Sequence[float], scale: Scale) -> Scale:
    """The scale without the empty room beyond the data; without zero where the data lie far from it."""
    low, high = min(numbers), max(numbers)
    low = min(scale.low, low) if low < 0.25 * high else low
    return Scale(low, high, tuple(t for t in scale.ticks if low <= t <= high)) if high > low else scale


def _points(
    figure: Figure, speaker: Speaker, rows: list[dict[str, object]], places: list[float], key: str, vertical: Scale
) -> list[Point | None]:
    """One point per row, None where the row has no value: the line breaks there."""
    kind, across = kind_of(figure, key), kind_of(figure, figure.x)
    points: list[Point | None] = []
    for row, x in zip(rows, places, strict=True):
        number = number_of(row.get(key))
        value = formatted(kind, row.get(key), speaker)
        said = f"{formatted(across, row[figure.x], speaker)}: {value}"
        points.append(None if number is None else Point(x, vertical.at(number), said, value))
    return points


def _paths(lines: list[list[Point | None]], stepped: bool, vertical: Scale) -> Markup:
    parts = []
    for n, points in enumerate(lines):
        stretches = _stretches(points)
        if len(lines) == 1:
            floor = PLOT * (1 - vertical.at(0))
            parts += [_path(_trace(s, stepped) + _down(s, floor), "area series-1", stroke="none") for s in stretches]
        parts += [_path(_trace(s, stepped), f"line {series_class(n)}", stroke="currentColor") for s in stretches]
    return tag(
        "svg",
        *parts,
        y=TOP,
        width="100%",
        height=PLOT,
        viewBox=f"0 0 {WIDTH} {PLOT}",
        preserveAspectRatio="none",
        overflow="visible",
    )


def _path(trace: str, look: str, stroke: str) -> Markup:
    fill = "none" if stroke != "none" else "transparent"
    return tag(
        "path", d=trace, class_=look, fill=fill, stroke=stroke, stroke_width=2, vector_effect="non-scaling-stroke"
    )


def _stretches(points: list[Point | None]) -> list[list[Point]]:
    stretches: list[list[Point]] = [[]]
    for point in points:
        if point is not None:
            stretches[-1].append(point)
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if len(stretch) > 1]


def _trace(points: list[Point], stepped: bool) -> str:
    first, *others = points
    moves = [f"M{_x(first)} {_y(first)}"]
    moves += [f"H{_x(point)}V{_y(point)}" if stepped else f"L{_x(point)} {_y(point)}" for point in others]
    return "".join(moves)


def _down(points: list[Point], floor: float) -> str:
    return f"V{floor:g}H{_x(points[0])}Z"


def _x(point: Point) -> str:
    return f"{round(point.x * WIDTH, 1):g}"


def _y(point: Point) -> str:
    return f"{round(PLOT * (1 - point.y), 1):g}"


def _dots(points: list[Point | None], n: int, stepped: bool) -> Markup:
    """Dots on a line of few points; on any other line, places to hover over; none on a long one."""
    known = [point for point in points if point]
    if len(known) > MOST_DOTS:
        return Markup("")
    radius = 3.5 if len(known) <= 14 and not stepped else 0
    parts = []
    for point in known:
        x, y = share(point.x), TOP + PLOT * (1 - point.y)
        if radius:
            parts.append(tag("circle", cx=x, cy=y, r=radius, class_=f"dot {series_class(n)}"))
        parts.append(tag("circle", tag("title", point.said), cx=x, cy=y, r=10, fill="transparent", class_="hover"))
    return joined(*parts)


def _last_value(points: list[Point | None]) -> Markup:
    last = [point for point in points if point][-1]
    y = max(TOP + 10, TOP + PLOT * (1 - last.y) - 12)
    return words(last.value, x=share(last.x), y=y, text_anchor=_anchor(last.x), class_="value series-1")


def _names(lines: list[list[Point | None]], titles: list[str]) -> Markup:
    """Each series' title at the end of its line, in its colour, none over another."""
    drawn = [(n, [point for point in points if point]) for n, points in enumerate(lines) if any(points)]
    heights = _apart([_extent(points) for _n, points in drawn])
    parts = []
    for (n, points), y in zip(drawn, heights, strict=True):
        x = points[-1].x
        look = f"name {series_class(n)}"
        parts.append(fitting(titles[n], 24, x=share(x), y=y, text_anchor=_anchor(x), class_=look))
    return joined(*parts)


def _extent(points: list[Point]) -> tuple[float, float]:
    """The highest and the lowest place, from the top, that a line reaches beside the title at its end."""
    last = points[-1].x
    beside = [TOP + PLOT * (1 - point.y) for point in points if abs(point.x - last) <= NAME_WIDTH]
    return min(beside), max(beside)


def _anchor(x: float) -> str:
    return "end" if x > 0.5 else "start"


def _apart(extents: list[tuple[float, float]], gap: float = 17) -> list[float]:
    """Baselines for titles: the lowest line's below it if there is room, the others' above theirs, none touching."""
    order = sorted(range(len(extents)), key=lambda n: extents[n][1], reverse=True)
    under = len(extents) > 1 and extents[order[0]][1] + 28 < TOP + PLOT
    placed: dict[int, float] = {}
    limit = float("inf")
    for n in order:
        wanted = extents[n][1] + 18 if under and not placed else extents[n][0] - 9
        limit = placed[n] = min(wanted, limit - gap)
    lift = max(0.0, TOP - min(placed.values(), default=TOP))
    return [placed[n] + lift for n in range(len(extents))]
