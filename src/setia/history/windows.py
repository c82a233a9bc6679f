"""The stretches of time that figures are asked for, and the facts that fall into them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from setia.kernel.errors import SetiaError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.history.scope import Scope

Every = Literal["day", "week", "month", "quarter", "year"]
EVERY: tuple[Every, ...] = get_args(Every)


class UnknownPeriod(SetiaError):
    """There is no period {every}. Choose one of {choices}."""

    code = "metrics.unknown_period"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Shop-local days from `since` up to and without `until`; `every` where they are a calendar period."""

    since: dt.date
    until: dt.date
    every: Every | None = None

    @classmethod
    def ending(cls, until: dt.date, days: int) -> Window:
        """The window of so many days that ends before a day."""
        return cls(until - dt.timedelta(days=days), until)

    @property
    def days(self) -> int:
        """How many days it holds."""
        return (self.until - self.since).days

    def before(self) -> Window:
        """The window of the same length, or the calendar period, just before."""
        if self.every is not None:
            return period_of(self.since - dt.timedelta(days=1), self.every)
        return Window.ending(self.since, self.days)

    def a_year_before(self) -> Window:
        """The same period of the year before; of days and weeks the one with the same days of the week."""
        match self.every:
            case "day" | "week" as every:
                return period_of(self.since - dt.timedelta(days=364), every)
            case None:
                return Window.ending(same_day(self.until, self.until.year - 1), self.days)
            case every:
                return period_of(same_day(self.since, self.since.year - 1), every)

    def moved(self, days: int) -> Window:
        """The window so many days later."""
        by = dt.timedelta(days=days)
        return Window(self.since + by, self.until + by)


def same_day(day: dt.date, year: int) -> dt.date:
    """The same date in another year; 29 February becomes 28 February where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def period_of(day: dt.date, every: Every) -> Window:
    """The calendar period that a day lies in; weeks begin on Monday."""
    match every:
        case "day":
            return Window(day, day + dt.timedelta(days=1), every)
        case "week":
            monday = day - dt.timedelta(days=day.weekday())
            return Window(monday, monday + dt.timedelta(days=7), every)
        case "month":
            first = day.replace(day=1)
            return Window(first, months_on(first, 1), every)
        case "quarter":
            first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
            return Window(first, months_on(first, 3), every)
        case "year":
            return Window(day.replace(month=1, day=1), dt.date(day.year + 1, 1, 1), every)


def periods(last_day: dt.date, every: Every, count: int) -> list[Window]:
    """So many calendar periods, oldest first, the last of which holds `last_day`. Raises UnknownPeriod."""
    if every not in EVERY:
        raise UnknownPeriod(every=every, choices=", ".join(EVERY))
    found = [period_of(last_day, every)]
    while len(found) < count:
        found.append(found[-1].before())
    return found[::-1]


def months_on(first: dt.date, months: int) -> dt.date:
    """The first day of the month so many months after a first day of a month."""
    month = first.month - 1 + months
    return dt.date(first.year + month // 12, month % 12 + 1, 1)


MOST_DAYS = 2_000_000


class TooManyDays(SetiaError):
    """The windows and those they are compared with hold {found} days together; {most} are the most. Ask for fewer or
    shorter ones."""

    code = "history.too_many_days"


class Spans:
    """Windows as tables that facts are joined with. A window is known by its place in `windows`."""

    def __init__(self, windows: Sequence[Window], scope: Scope) -> None:
        self.windows = tuple(windows)
        days = sum(each.days for each in self.windows)
        if days > MOST_DAYS:
            raise TooManyDays(found=f"{days:,}", most=f"{MOST_DAYS:,}")
        self._scope = scope

    def during(self, rows: ir.Table, day: str = "day") -> ir.Table:
        """The rows that fall into a window, once for each, with its number as `window`."""
        return _joined(rows, self._days.filter(self._days.now), day, ("window",))

    def with_before(self, rows: ir.Table, day: str = "day") -> ir.Table:
        """The rows of each window and of the one just before it; `now` tells the two apart."""
        return _joined(rows, self._days, day, ("window", "now"))

    @cached_property
    def _days(self) -> Any:
        """One row per day, window and whether the day is of the window itself or of the one before it."""
        import ibis
        import pyarrow as pa

        rows = [
            (day, number, now)
            for number, window in enumerate(self.windows)
            for each, now in ((window, True), (window.before(), False))
            for day in _days(each)
        ]
        days, numbers, nows = zip(*rows, strict=True) if rows else ((), (), ())
        return ibis.memtable(
            pa.table(
                {
                    "span_day": pa.array(days, pa.date32()),
                    "window": pa.array(numbers, pa.int64()),
                    "now": pa.array(nows, pa.bool_()),
                }
            )
        )

    @cached_property
    def bounds(self) -> Any:
        """One row per window: `window`, its days `since` and `until`, the moments `opens` and `closes` in UTC."""
        import ibis
        import pyarrow as pa

        moment = pa.timestamp("us", "UTC")
        return ibis.memtable(
            pa.table(
                {
                    "window": pa.array(range(len(self.windows)), pa.int64()),
                    "since": pa.array([w.since for w in self.windows], pa.date32()),
                    "until": pa.array([w.until for w in self.windows], pa.date32()),
                    "opens": pa.array([self._scope.midnight(w.since) for w in self.windows], moment),
                    "closes": pa.array([self._scope.midnight(w.until) for w in self.windows], moment),
                }
            )
        )

    def bounded(self, rows: Any) -> Any:
        """Rows that have a `window`, with its `since` and `until`."""
        return rows.join(self.bounds.select("window", "since", "until"), "window")


def _joined(rows: Any, days: Any, day: str, columns: tuple[str, ...]) -> Any:
    joined = rows.join(days, rows[day] == days.span_day)
    return joined.select(*rows.columns, *columns)


def _days(window: Window) -> Iterator[dt.date]:
    return (window.since + dt.timedelta(days=n) for n in range(window.days))
