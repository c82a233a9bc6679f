"""Measures: metrics that are one number for a window of time.

A measure is a table of units (customers, orders, visits, answers …) per window, with marks and amounts. Its parts are
the sums of these, its value a formula over the parts. So it can be had over time, by any attribute, compared with the
window before, and each count opened into the customers behind it, all from the one expression.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from setia.history.sales import valid_orders
from setia.history.scope import Scope
from setia.history.windows import Every, Spans, Window, periods
from setia.metrics.answer import Answer, Number, as_table
from setia.metrics.attributes import By, attribute
from setia.metrics.metric import Formula, Metric, Part, Parts
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

USUAL_PERIODS = 13
"""Periods shown over time: a year of months and the one under way."""
ALL: Any = object()
"""The group of everybody; None is the group of those whose attribute is not known."""
Cells = dict[tuple[int, Any], Parts]
"""Parts by window and group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Metric):
    """A metric that is one number for a window."""

    rows: Callable[[Snapshot, Scope, Spans], ir.Table]
    """One row per unit and window: `window`, `customer_id`, a column for each part, the measure's own attributes."""
    parts: tuple[Part, ...]
    formula_of: Formula
    window_days: int = 365
    """The window's length where none is asked for."""
    follow_up: Callable[[Scope], int] = lambda _scope: 0
    """Days after a window until its figure is complete."""
    looks_back: bool = False
    """Whether the window before belongs to the figure, as where customers are kept from one to the other."""
    ranked: Callable[[Any, list[str]], Any] | None = None
    """What is known of a row only among those of its window and group: from the rows and the names of both columns."""
    has_windows: ClassVar[bool] = True
    also: Callable[[Parts, Window], dict[str, Number | None]] = lambda _parts, _window: {}
    """Further figures that follow from the parts."""
    notes: Callable[[Parts], Iterable[str]] = lambda _parts: ()
    notes_by: str = ""
    """What has to be known where it is broken down."""

    def options(self) -> dict[str, Any]:
        """The names of the options with their defaults."""
        return {"window_days": self.window_days, "every": None, "last": None, "by": None, "shift": None}

    def answer(  # type: ignore[override]  # each kind of metric has its own options
        self,
        facts: Snapshot,
        scope: Scope,
        *,
        window_days: int | None = None,
        every: Every | None = None,
        last: int | None = None,
        by: str | By | None = None,
        shift: Callable[[Window], Window] = Window.a_year_before,
    ) -> Answer:
        """The measure over one window or several, newest last.

        Without `every`: `last` windows of `window_days` side by side, the newest complete as of `scope.as_of`. With
        `every` (day, week, month, quarter, year): the last calendar periods, or, where `window_days` is given too, the
        windows of that length that end with each period. `by` names an attribute; `shift` says which window of the
        year before stands beside one. The headline is the newest complete window.

        `table`: one row per window (and `group`): `period_from`, `period_until` (exclusive), the parts, `value`, `low`
        and `high` (95 %, of shares and scores), `previous` and `year_before` (null beyond the history), `mature`,
        `reason`. A window that is not complete is not mature and has no value. Raises UnknownAttribute.
        """
        shown = self.shown(scope, window_days, every, last)
        compared = [each for window in shown for each in (window.before(), shift(window))]
        asked = _Question(self, facts, scope, [*shown, *compared], by)
        groups = asked.groups(shown)
        cells = [(window, group) for window in shown for group in groups]
        rows = [asked.row(window, group, window.before(), shift(window)) for window, group in cells]
        headline = self.newest(scope, shown)
        newest = asked.row(headline, ALL, headline.before(), shift(headline))
        parts = asked.parts(headline, ALL)
        figures = {"value": newest["value"], **newest, **asked.also(headline), "window_days": headline.days}
        columns = [name for name in newest if by is not None or name != "group"]
        figures.pop("group")
        reason = figures.pop("reason")
        return Answer(self.name, scope, figures, as_table(rows, columns), reason, self._said(parts, by))

    def _said(self, parts: Parts, by: str | By | None) -> tuple[str, ...]:
        return (*self.notes(parts), *([self.notes_by] if by is not None and self.notes_by else []))

    def shown(self, scope: Scope, window_days: int | None, every: Every | None, last: int | None) -> list[Window]:
        """The windows that are asked for, oldest first."""
        if every is None:
            window = Window.ending(
                scope.as_of - dt.timedelta(days=self.follow_up(scope)), window_days or self.window_days
            )
            found = [window]
            while len(found) < (last or 1):
                found.append(found[-1].before())
            return found[::-1]
        calendar = periods(scope.last_day, every, last or USUAL_PERIODS)
        if window_days is None:
            return calendar
        ends = [period.until for period in calendar if period.until <= scope.as_of]
        return [Window.ending(end, window_days) for end in ends or [scope.as_of]]

    def is_complete(self, scope: Scope, window: Window) -> bool:
        """Whether a window is over, and the days that its figure waits for."""
        return window.until + dt.timedelta(days=self.follow_up(scope)) <= scope.as_of

    def newest(self, scope: Scope, shown: list[Window]) -> Window:
        """The newest complete one of the windows, which is the headline's."""
        return next((window for window in reversed(shown) if self.is_complete(scope, window)), shown[-1])

    def sums(self, facts: Snapshot, scope: Scope, windows: list[Window], by: str | By | None = None) -> Cells:
        """The parts of every window, and of every group where an attribute is given."""
        key = ("sums", self.rows, scope, tuple(windows), by)
        rows = facts.remembered(key, lambda: self._summed(facts, scope, Spans(windows, scope), by))
        return {
            (row["window"], row.get("group", ALL)): {part.name: row[part.name] for part in self.parts} for row in rows
        }

    def _summed(self, facts: Snapshot, scope: Scope, spans: Spans, by: str | By | None) -> list[dict[str, Any]]:
        """The sums of everything that the rows mark or amount to: measures of the same rows share them."""
        rows, keys = self._keyed(facts, scope, spans, by)
        sums = [name for name in rows.columns if name not in ("window", "group", "customer_id", *self.own)]
        return listed(facts, rows.group_by(keys).aggregate(**{name: _sum(rows[name]) for name in sums}))

    def _keyed(self, facts: Snapshot, scope: Scope, spans: Spans, by: str | By | None) -> tuple[Any, list[str]]:
        """The rows, and the names of the columns that tell window and group."""
        rows: Any = self.rows(facts, scope, spans)
        keys = ["window"]
        if by is not None:
            rows = self.grouped(facts, scope, spans, rows, by)
            keys.append("group")
        return (self.ranked(rows, keys) if self.ranked else rows), keys

    def grouped(self, facts: Snapshot, scope: Scope, spans: Spans, rows: Any, by: str | By) -> Any:
        """The rows with their `group`. Raises UnknownAttribute."""
        if isinstance(by, str) and by in self.own:
            return rows.mutate(group=rows[by])
        return attribute(by, self.own).joined(facts, scope, spans, rows)

    def nothing(self) -> Parts:
        """The parts where no unit is."""
        return {part.name: Decimal() if part.kind == "money" else 0 for part in self.parts}

    def customers(
        self, facts: Snapshot, scope: Scope, part: str, window: Window, by: str | By | None = None, group: Any = ALL
    ) -> list[str]:
        """The customers behind one count of one window, sorted."""
        rows, _keys = self._keyed(facts, scope, Spans([window], scope), by)
        if by is not None and group is not ALL:
            rows = rows.filter(rows.group.isnull() if group is None else rows.group == group)
        counted = rows[part] if rows[part].type().is_boolean() else rows[part] != 0
        rows = rows.filter(counted, rows.customer_id.notnull())
        found = rows.select("customer_id").distinct().order_by("customer_id")
        return [row["customer_id"] for row in listed(facts, found)]


def _sum(column: Any) -> Any:
    """How many are marked, or how much it is."""
    import ibis

    if column.type().is_boolean():
        return column.ifelse(1, 0).sum().fill_null(0).cast("int64")
    total = ibis.coalesce(column.sum(), ibis.literal(0).cast(column.type()))
    return total.cast("int64") if column.type().is_integer() else total


class _Question:
    """One measure asked for several windows at once."""

    def __init__(
        self, measure: Measure, facts: Snapshot, scope: Scope, windows: list[Window], by: str | By | None
    ) -> None:
        self._measure = measure
        self._scope = scope
        known = list(dict.fromkeys(windows))
        self._place = {window: n for n, window in enumerate(known)}
        self._cells = measure.sums(facts, scope, known, by)
        # Ranks among all are not the sum of ranks within groups.
        self._whole = measure.sums(facts, scope, known) if by is not None and measure.ranked else self._cells
        self._first_day = first_day(facts, scope, measure.needs[0])
        self._lacking = measure.lacking(facts, scope)

    def groups(self, shown: list[Window]) -> list[Any]:
        """The groups that have any unit in the windows shown, in order, those without a name last."""
        places = {self._place[window] for window in shown}
        found = {group for place, group in self._cells if place in places} - {ALL}
        return sorted(found, key=lambda group: (group is None, str(group))) or [ALL]

    def parts(self, window: Window, group: Any) -> Parts:
        place = self._place[window]
        if group is not ALL:
            return self._cells.get((place, group)) or self._measure.nothing()
        total = self._measure.nothing()
        for (where, _group), parts in self._whole.items():
            if where == place:
                total = {name: total[name] + parts[name] for name in total}
        return total

    def also(self, window: Window) -> dict[str, Number | None]:
        if self._reason(window) is not None:
            return dict.fromkeys(self._measure.also(self.parts(window, ALL), window))
        return self._measure.also(self.parts(window, ALL), window)

    def row(self, window: Window, group: Any, before: Window, year_before: Window) -> dict[str, Any]:
        parts, formula = self.parts(window, group), self._measure.formula_of
        reason = self._reason(window)
        value = None if reason else formula.value(parts)
        interval = formula.interval(parts) if formula.interval and value is not None else None
        return {
            "period_from": window.since,
            "period_until": window.until,
            "group": None if group is ALL else group,
            **parts,
            "value": value,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            "previous": self._compared(before, group),
            "year_before": self._compared(year_before, group),
            "mature": self._measure.is_complete(self._scope, window),
            "reason": reason or (formula.reason(parts) if value is None else None),
        }

    def _compared(self, window: Window, group: Any) -> Number | None:
        if self._reason(window) or self._first_day is None or window.since < self._first_day:
            return None
        return self._measure.formula_of.value(self.parts(window, group))

    def _reason(self, window: Window) -> str | None:
        """Why a window has no figure, whatever its parts."""
        if self._lacking:
            return self._lacking
        back = window.before() if self._measure.looks_back else window
        if self._first_day is None or (self._measure.looks_back and back.since < self._first_day):
            return "history_too_short"
        return None if self._measure.is_complete(self._scope, window) else "not_over"


def first_day(facts: Snapshot, scope: Scope, table: str) -> dt.date | None:
    """The first day of which a table tells something that counts; None where there is none before `as_of`."""
    return facts.remembered(("first day", table, scope), lambda: _first_day(facts, scope, table))


def _first_day(facts: Snapshot, scope: Scope, table: str) -> dt.date | None:
    if table == "orders":
        rows: Any = valid_orders(facts, scope)
    elif table == "subscriptions":
        rows = facts.table(table)
        rows = rows.filter(rows.started_at < scope.until).mutate(day=rows.started_at)
    else:
        rows = facts.table(table)
        rows = rows.filter(rows.day < scope.as_of)
    (found,) = listed(facts, rows.aggregate(day=rows.day.min()))
    day = found["day"]
    return scope.day_of(day) if isinstance(day, dt.datetime) else day
