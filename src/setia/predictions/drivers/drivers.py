"""What drives retention: what customers did and met with in their first days, and how many of them stayed after that.

The first days, who is looked at and what counts as staying are those of `early_days`; nothing from after the first days
enters a driver. Beside the raw difference in retention between customers with and without something stands the one that
is adjusted for everything else that is known, and for the month of the first order, by the regression of `adjusting`.

- A flag is switched on and off for everybody to whom it applies: an answer within a day for those who asked, a click
  for those who opened a message.
- A level (a product, a source) is set against the other levels in the proportions in which they occurred. Levels that
  few customers have are pooled and not shown.
- Nothing is adjusted for what is a part of it: a visit is not for what was done in it, nor a category for its products.
- Whether a subscription runs is adjusted for and not shown: by its definition staying is another thing for subscribers.

It is an association and not yet a cause. With each driver stands the test by lot that would show whether it is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import TYPE_CHECKING

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_, Sentence
from setia.kernel.statistics import critical_value
from setia.metrics.options import MOST_DAYS, BadOption
from setia.predictions.drivers.adjusting import Estimate, false_discovery
from setia.predictions.drivers.comparing import LEAST_WITH, MOST_LEVELS, Comparison, Question
from setia.predictions.drivers.early_days import early_days
from setia.predictions.drivers.factors import FACTORS, Kind, of_event
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

LEAST_CUSTOMERS = 300
LEAST_OF_EACH = 30
"""Customers who stayed, and who did not, without whom nothing is compared."""
FALSE_DISCOVERIES = 0.05
CAUTION = N_(
    "This is not yet a cause: customers who differ in one thing differ in others too, and not everything is known. "
    "Only a test by lot shows what it does."
)


class TooLittleToCompare(SetiaError):
    """What keeps customers needs {least} customers at least whose first order is {days} days old or more, {each} of
    whom stayed and {each} did not. Here are {customers}, of whom {stayed} stayed. Wait for more of them, or ask for
    fewer days."""

    code = "predictions.too_little_to_compare"


@dataclass(frozen=True, slots=True)
class Driver:
    """One thing that customers did, met with or came by, and how many with and without it stayed."""

    kind: Kind
    name: str
    level: str | None
    """Which product, category, channel, source, reason or event, in the shop's words; None for a flag."""
    title: str
    """An English sentence to be translated."""
    early: bool
    """Whether it is something that the customer did in the first days."""
    customers_with: int
    customers_without: int
    """Of those to whom it applies."""
    stayed_with: float
    """The share that stayed."""
    stayed_without: float
    raw_difference: float
    adjusted_difference: float
    low: float
    """The interval of the adjusted difference, at 95 %."""
    high: float
    significant: bool
    """Whether it still shows when no more than one in twenty of those that do may be chance alone."""
    test: str
    """What would show whether it is a cause: an English sentence to be translated."""

    @property
    def share_with(self) -> float:
        """The share of customers with it, of those to whom it applies."""
        return self.customers_with / (self.customers_with + self.customers_without)


@dataclass(frozen=True, slots=True)
class Drivers:
    """What was found: the drivers, those first whose interval lies farthest from nought."""

    window_days: int
    horizon_days: int
    rows: tuple[Driver, ...]
    customers: int
    stayed: int
    """How many of the customers."""
    months: int
    """In which they first ordered."""
    caution: str = CAUTION
    """What to read before the figures: an English sentence to be translated."""
    notes: tuple[str, ...] = ()
    """What has to be known beside the figures: sentences that a `Speaker` says in any language."""


def drivers(facts: Snapshot, scope: Scope, *, window_days: int = 7, horizon_days: int = 90) -> Drivers:
    """Everything that is known of the first `window_days`, with its part in staying over the `horizon_days` after them.

    Raises TooLittleToCompare, BadOption.
    """
    for name, days in (("window_days", window_days), ("horizon_days", horizon_days)):
        if not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
            raise BadOption(name=name, given=repr(days), takes=f"a whole number from 1 to {MOST_DAYS:,}")
    key = ("drivers", scope, window_days, horizon_days)
    return facts.remembered(key, lambda: _drivers(facts, scope, window_days, horizon_days))


def first_week(facts: Snapshot, scope: Scope, *, window_days: int = 7, horizon_days: int = 90) -> Drivers:
    """The same of what customers did themselves in their first days: what best separates those who stay comes first."""
    found = drivers(facts, scope, window_days=window_days, horizon_days=horizon_days)
    return replace(found, rows=tuple(row for row in found.rows if row.early))


def _drivers(facts: Snapshot, scope: Scope, window_days: int, horizon_days: int) -> Drivers:
    early = early_days(facts, scope, window_days, horizon_days, least=LEAST_WITH, most_events=MOST_LEVELS)
    rows = early.rows
    (counted,) = listed(facts, rows.aggregate(customers=rows.count(), stayed=rows.count(where=rows.stayed)))
    customers, stayed = counted["customers"], counted["stayed"]
    if customers < LEAST_CUSTOMERS or min(stayed, customers - stayed) < LEAST_OF_EACH:
        raise TooLittleToCompare(
            least=LEAST_CUSTOMERS, days=window_days + horizon_days, each=LEAST_OF_EACH, customers=customers,
            stayed=stayed,
        )  # fmt: skip
    factors = (*FACTORS, *(of_event(number, name) for number, name in enumerate(early.events)))
    table = Comparison.of(facts, rows, factors)
    found = {question: table.estimate(question) for question in table.questions}
    known = {question: estimate for question, estimate in found.items() if estimate is not None}
    notes = _notes(early.whole, customers, table.few, [each.said for each in found if each not in known])
    return Drivers(window_days, horizon_days, _rows(table, known), customers, stayed, table.months, notes=notes)


def _rows(table: Comparison, found: dict[Question, Estimate]) -> tuple[Driver, ...]:
    """The drivers, those first whose interval lies farthest from nought."""
    chances = [erfc(abs(each.value) / each.standard_error / sqrt(2)) for each in found.values()]
    significant = false_discovery(chances) <= FALSE_DISCOVERIES
    rows = [
        _driver(table, question, estimate, shows)
        for (question, estimate), shows in zip(found.items(), significant.tolist(), strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (-max(row.low, -row.high), row.kind, row.name, row.level or "")))


def _driver(table: Comparison, question: Question, estimate: Estimate, significant: bool) -> Driver:
    factor = question.factor
    who = table.has(question)
    customers_with, with_stayed = table.count(who)
    customers_without, without_stayed = table.count(table.among(factor) & ~who)
    stayed_with, stayed_without = with_stayed / customers_with, without_stayed / customers_without
    reach = critical_value() * estimate.standard_error
    return Driver(
        kind=factor.kind,
        name=factor.name,
        level=question.level or factor.level,
        title=factor.title,
        early=factor.early,
        customers_with=customers_with,
        customers_without=customers_without,
        stayed_with=stayed_with,
        stayed_without=stayed_without,
        raw_difference=stayed_with - stayed_without,
        adjusted_difference=estimate.value,
        low=max(estimate.value - reach, -1.0),
        high=min(estimate.value + reach, 1.0),
        significant=significant,
        test=factor.test,
    )


def _notes(whole: int, customers: int, few: Sequence[str], same: Sequence[str]) -> tuple[str, ...]:
    notes: list[str] = []
    if whole > customers:
        sampled = N_("A sample by lot of {customers} of {whole} customers; the same ones every time.")
        notes.append(Sentence(sampled, customers=customers, whole=whole))
    notes += [
        Sentence(N_("Too few with it or without it, of those who stayed or those who did not: {what}"), what=what)
        for what in few
    ]
    notes += [Sentence(N_("Cannot be told apart from what else is known: {what}"), what=what) for what in same]
    return tuple(notes)
