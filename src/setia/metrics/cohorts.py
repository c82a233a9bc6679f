"""Cohorts: who first bought together, and who of them bought again later.

One scan serves every variant: each customer becomes one row with the first period and a mask in which bit k says that
they bought k periods later. Counting masks gives the classic table, the one “on or after” and every bracket.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from setia.history.marks import bit_or
from setia.history.sales import customers_orders
from setia.history.scope import Scope
from setia.history.windows import Every
from setia.kernel.i18n import N_
from setia.metrics.answer import Answer, as_table
from setia.metrics.attributes import By, attribute
from setia.metrics.metric import Listing
from setia.metrics.populations import PEOPLE
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

BITS = 62
"""Periods that one mask holds."""
HOURS = {"day": 24, "week": 7 * 24, "month": 30 * 24, "quarter": 91 * 24, "year": 365 * 24}
"""Length of a period that is counted from the first order."""
Kind = Literal["on", "on_or_after", "bracket"]
Clock = Literal["calendar", "since_first"]
COLUMNS = ("cohort", "group", "age", "age_until", "size", "customers", "share", "mature")
Place = tuple[int, Any, int, int]
"""Cohort, group, first and last age."""
Counted = tuple[dict[tuple[int, Any], int], dict[Place, int]]
"""Customers by cohort and group, and by place."""
LATER_OR_NEVER = N_("Older cohorts have had more time to come back later: compare the ages of one cohort, not cohorts.")


def cohorts(
    facts: Snapshot,
    scope: Scope,
    *,
    every: Every = "month",
    kind: Kind = "on",
    clock: Clock = "calendar",
    brackets: Sequence[tuple[int, int]] = ((1, 1), (2, 3), (4, 6), (7, 12)),
    most_cohorts: int = 24,
    by: str | By | None = None,
) -> Answer:
    """Retention by the period of the first order, for the newest `most_cohorts` cohorts.

    `kind`: `on` counts who bought in that period (classic), `on_or_after` who bought in it or later, `bracket` who
    bought in any of the periods from a to b, both included, for each pair in `brackets`. `clock`: `calendar` counts
    calendar periods, `since_first` lengths of 24 hours, 7, 30, 91 or 365 days from the customer's first order.

    `table`: one row per cohort (and `group`) and age: `cohort` (first day of the period of the first order), `age`
    (periods since; of a bracket its first, with `age_until`), `size`, `customers`, `share`, `mature`. A period that is
    not over for everybody in the cohort is open: `mature` false, `share` null. The headline pools the mature cells of
    ages 1, 3, 6 and 12 (never a mean of rates); `value` is that of age 1; brackets have none.
    Raises UnknownAttribute.
    """
    ages = Ages(scope, every, clock, most_cohorts)
    counts: Counts = (Masks if ages.most <= BITS else Distinct)(facts, ages, by)
    ranges = tuple(brackets) if kind == "bracket" else tuple((age, age) for age in range(ages.most))
    sizes, found = counts.on_or_after() if kind == "on_or_after" else counts.within(ranges)
    rows = []
    for (cohort, group), size in sorted(sizes.items(), key=lambda item: (item[0][0], str(item[0][1] or "~"))):
        for a, b in ranges:
            if ages.has_begun(cohort, a):
                customers, mature = found.get((cohort, group, a, b), 0), ages.is_over(cohort, b)
                share = customers / size if mature else None
                about = {"cohort": ages.first_day(cohort), "group": group, "age": a, "age_until": b}
                rows.append({**about, "size": size, "customers": customers, "share": share, "mature": mature})
    hidden = {"group"} if by is None else set()
    hidden |= set() if kind == "bracket" else {"age_until"}
    shares = pooled(rows)
    figures = {"value": shares["age_1"], "every": every, "kind": kind, "clock": clock, **shares}
    table = as_table(rows, [name for name in COLUMNS if name not in hidden])
    empty = "brackets_have_none" if kind == "bracket" else "history_too_short"
    reason = None if figures["value"] is not None else empty if rows else "no_customers"
    notes = (LATER_OR_NEVER,) if kind == "on_or_after" else ()
    return Answer("cohorts", scope, figures, table, reason, notes)


def pooled(rows: list[dict[str, Any]], ages: Sequence[int] = (1, 3, 6, 12)) -> dict[str, Any]:
    """Share at these ages over all mature cells, each customer weighing the same."""
    figures: dict[str, Any] = {}
    for age in ages:
        mature = [row for row in rows if row["age"] == row["age_until"] == age and row["mature"]]
        size = sum(row["size"] for row in mature)
        figures[f"age_{age}"] = sum(row["customers"] for row in mature) / size if size else None
        figures[f"age_{age}_customers"] = size
    return figures


@dataclass(frozen=True, slots=True)
class Ages:
    """How cohorts are numbered and how old they are. Periods are counted from the oldest one shown, which is 0."""

    scope: Scope
    every: Every
    clock: Clock
    cohorts: int

    @property
    def oldest(self) -> int:
        """The number since the calendar's beginning of the oldest period shown."""
        return number_of(self.scope.last_day, self.every) - self.cohorts + 1

    @property
    def most(self) -> int:
        """One more than the highest age there can be."""
        if self.clock == "calendar":
            return self.cohorts
        hours = (self.scope.until - self.scope.midnight(self.first_day(0))) / dt.timedelta(hours=1)
        return int(hours // HOURS[self.every]) + 1

    def first_day(self, cohort: int) -> dt.date:
        """The first day of a cohort's period."""
        return start_of(self.oldest + cohort, self.every)

    def has_begun(self, cohort: int, age: int) -> bool:
        """Whether anybody of a cohort can have reached an age."""
        if self.clock == "calendar":
            return self.first_day(cohort + age) < self.scope.as_of
        return self._after(self.first_day(cohort), age) < self.scope.until

    def is_over(self, cohort: int, age: int) -> bool:
        """Whether everybody of a cohort has had the whole of an age."""
        if self.clock == "calendar":
            return self.first_day(cohort + age + 1) <= self.scope.as_of
        return self._after(self.first_day(cohort + 1), age + 1) <= self.scope.until

    def _after(self, day: dt.date, periods: int) -> dt.datetime:
        return self.scope.midnight(day) + dt.timedelta(hours=periods * HOURS[self.every])


MONDAY = dt.date(1970, 1, 5)


def number_of(day: dt.date, every: Every) -> int:
    """The number of a day's calendar period."""
    match every:
        case "day":
            return (day - MONDAY).days
        case "week":
            return (day - MONDAY).days // 7
        case "month":
            return day.year * 12 + day.month - 1
        case "quarter":
            return day.year * 4 + (day.month - 1) // 3
        case "year":
            return day.year


def start_of(number: int, every: Every) -> dt.date:
    """The first day of the calendar period with a number."""
    match every:
        case "day":
            return MONDAY + dt.timedelta(days=number)
        case "week":
            return MONDAY + dt.timedelta(days=7 * number)
        case "month":
            return dt.date(number // 12, number % 12 + 1, 1)
        case "quarter":
            return dt.date(number // 4, number % 4 * 3 + 1, 1)
        case "year":
            return dt.date(number, 1, 1)


def _number(day: Any, every: Every) -> Any:
    """The same for a column of days, as an Ibis expression."""
    import ibis

    match every:
        case "month":
            return (day.year() * 12 + day.month() - 1).cast("int64")
        case "quarter":
            return (day.year() * 4 + day.quarter() - 1).cast("int64")
        case "year":
            return day.year().cast("int64")
    days = day.delta(ibis.date(MONDAY.year, MONDAY.month, MONDAY.day), unit="day").cast("int64")
    return days if every == "day" else (days // 7).cast("int64")


def aged(facts: Snapshot, ages: Ages) -> Any:
    """One row per order of a known customer: `customer_id`, `cohort`, `age`; the cohort is negative where not shown."""
    orders: Any = customers_orders(facts, ages.scope)
    first = orders.group_by(first_id=orders.customer_id).aggregate(
        first_day=orders.day.min(), first_at=orders.placed_at.min()
    )
    joined = orders.join(first, orders.customer_id == first.first_id)
    cohort = _number(joined.first_day, ages.every) - ages.oldest
    if ages.clock == "calendar":
        age = _number(joined.day, ages.every) - ages.oldest - cohort
    else:
        seconds = joined.placed_at.epoch_seconds() - joined.first_at.epoch_seconds()
        age = (seconds // (HOURS[ages.every] * 3600)).cast("int64")
    rows = joined.select("customer_id", cohort=cohort, age=age)
    return rows.filter(rows.cohort >= 0, rows.age < ages.most)


class Counts(Protocol):
    """Customers counted by cohort, group and age."""

    def within(self, ranges: Sequence[tuple[int, int]]) -> Counted:
        """Customers of each cohort, and those who bought at an age in each range."""

    def on_or_after(self) -> Counted:
        """Customers of each cohort, and those who bought at an age or later."""


class Masks:
    """Counted from one mask a customer: at most `BITS` periods."""

    def __init__(self, facts: Snapshot, ages: Ages, by: str | By | None) -> None:
        self._facts = facts
        people = facts.kept(self._masks(facts, ages))
        grouped = attribute(by).joined(facts, ages.scope, None, people) if by is not None else people
        self._people = grouped if by is not None else people.mutate(group=_nobody())
        self._most = ages.most

    def _masks(self, facts: Snapshot, ages: Ages) -> Any:
        """One row per customer: `customer_id`, `cohort`, `mask`, `last` (the highest age), by the calendar `first_day`."""
        import ibis

        one = ibis.literal(1, "int64")
        if ages.clock == "calendar":
            orders: Any = customers_orders(facts, ages.scope).select("customer_id", "day")
            period = _number(orders.day, ages.every) - ages.oldest
            shown = (period >= 0).ifelse(one << ibis.greatest(period, 0), 0)
            found = orders.mutate(bit=shown).group_by("customer_id")
            people = found.aggregate(first_day=lambda t: t.day.min(), last_day=lambda t: t.day.max(), bits=_or)
            cohort = _number(people.first_day, ages.every) - ages.oldest
            newest = _number(people.last_day, ages.every) - ages.oldest
            people = people.mutate(cohort=cohort, last=newest - cohort)
            people = people.filter(people.cohort >= 0)
            return people.select("customer_id", "first_day", "cohort", "last", mask=people.bits >> people.cohort)
        rows = aged(facts, ages)
        found = rows.mutate(bit=one << rows.age).group_by("customer_id", "cohort")
        people = found.aggregate(mask=_or, last=lambda t: t.age.max())
        return people.select("customer_id", "cohort", "mask", "last")

    def within(self, ranges: Sequence[tuple[int, int]]) -> Counted:
        """Customers of each cohort, and those who bought at an age in each range."""
        alike = self._people.group_by("cohort", "group", "mask").aggregate(customers=self._people.count())
        sums = {}
        for a, b in ranges:
            mask = (1 << min(b + 1, BITS)) - (1 << min(a, BITS))
            sums[f"from_{a}_to_{b}"] = alike.customers.sum(where=(alike.mask & mask) != 0)
        found = listed(self._facts, alike.group_by("cohort", "group").aggregate(size=alike.customers.sum(), **sums))
        sizes = {(row["cohort"], row["group"]): int(row["size"]) for row in found}
        cells = {
            (row["cohort"], row["group"], a, b): int(row[f"from_{a}_to_{b}"] or 0) for row in found for a, b in ranges
        }
        return sizes, cells

    def on_or_after(self) -> Counted:
        """Customers of each cohort, and those who bought at an age or later."""
        return _cumulated(self._facts, self._people, self._most)


class Distinct:
    """Counted from the different ages of each customer: any number of periods, a slower way."""

    def __init__(self, facts: Snapshot, ages: Ages, by: str | By | None) -> None:
        self._facts = facts
        rows = facts.kept(aged(facts, ages).distinct())
        self._rows = (
            attribute(by).joined(facts, ages.scope, None, rows) if by is not None else rows.mutate(group=_nobody())
        )
        self._most = ages.most

    def within(self, ranges: Sequence[tuple[int, int]]) -> Counted:
        """Customers of each cohort, and those who bought at an age in each range."""
        if all(a == b for a, b in ranges):
            found = self._at([(0, 0), *ranges])
            return _sizes(found), found
        sizes = _sizes(self._at([(0, 0)]))
        found = {}
        for a, b in ranges:
            rows = self._rows.filter(self._rows.age.between(a, b)).drop("age").distinct()
            counted = rows.group_by("cohort", "group").aggregate(customers=rows.count())
            found |= {(r["cohort"], r["group"], a, b): r["customers"] for r in listed(self._facts, counted)}
        return sizes, found

    def _at(self, ranges: Sequence[tuple[int, int]]) -> dict[Place, int]:
        rows = self._rows.filter(self._rows.age <= max(a for a, _b in ranges))
        counted = rows.group_by("cohort", "group", "age").aggregate(customers=rows.count())
        return {(r["cohort"], r["group"], r["age"], r["age"]): r["customers"] for r in listed(self._facts, counted)}

    def on_or_after(self) -> Counted:
        """Customers of each cohort, and those who bought at an age or later."""
        last = self._rows.group_by("customer_id", "cohort", "group").aggregate(last=self._rows.age.max())
        return _cumulated(self._facts, last, self._most)


def _sizes(found: dict[Place, int]) -> dict[tuple[int, Any], int]:
    """Everybody of a cohort has bought at age 0."""
    return {(cohort, group): n for (cohort, group, _a, last), n in found.items() if last == 0}


def _cumulated(facts: Snapshot, people: Any, most: int) -> Counted:
    """From the highest age of each customer to how many reached every age."""
    counted = people.group_by("cohort", "group", "last").aggregate(customers=people.count())
    ended = {(row["cohort"], row["group"], row["last"]): row["customers"] for row in listed(facts, counted)}
    found: dict[Place, int] = {}
    for cohort, group in {(cohort, group) for cohort, group, _last in ended}:
        still = 0
        for age in reversed(range(most)):
            still += ended.get((cohort, group, age), 0)
            found[cohort, group, age, age] = still
    return _sizes(found), found


def _or(rows: Any) -> Any:
    """All marks of a customer in one mask."""
    return bit_or(rows.bit)


def _nobody() -> Any:
    import ibis

    return ibis.null("string")


COHORTS = Listing(
    name="cohorts",
    title=N_("Cohort table"),
    formula=N_("Customers of a cohort who bought in a period ÷ all customers who first bought in the cohort's period"),
    unit="share",
    population=PEOPLE,
    better="higher",
    source="Classic (“on”), unbounded (“on or after”) and bracket retention, as PostHog and Mixpanel name them",
    answers=cohorts,
)
