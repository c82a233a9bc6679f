"""Customers with and without each thing, as flags: the columns of a regression, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from setia.kernel.i18n import Sentence
from setia.predictions.drivers.adjusting import (
    Estimate,
    Fitted,
    Groups,
    Standardised,
    fit,
    independent,
    products,
    standardised,
)
from setia.predictions.drivers.early_days import numbered
from setia.predictions.drivers.factors import Factor
from setia.predictions.models.purchases import FloatArray, IndexArray, tally
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

LEAST_WITH = 50
"""Customers with a driver, and without it."""
LEAST_OF_EACH_WITH = 5
"""Of those with it and of those without: who stayed, and who did not. More would show the lucky ones alone."""
MOST_LEVELS = 10

Mask = NDArray[np.bool_]


def _usable(customers: float, stayed: float) -> bool:
    return customers >= LEAST_WITH and min(stayed, customers - stayed) >= LEAST_OF_EACH_WITH


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a factor that are told apart; all others are pooled."""

    names: tuple[str, ...]
    whole: bool
    """Whether there are no others."""
    known: int
    """Customers of whom it is known."""


def _levels(facts: Snapshot, rows: Any, factor: Factor) -> Levels:
    """Those of most customers, unless what is left would be too few to stand for all others."""
    among = rows if factor.within is None else rows.filter(rows[factor.within])
    counted = among.group_by(level=among[factor.column])
    counted = listed(facts, counted.aggregate(customers=among.count(), stayed=among.count(where=among.stayed)))
    known = [row for row in counted if row["level"] is not None]
    usable = [row for row in known if _usable(row["customers"], row["stayed"])]
    kept = sorted(usable, key=lambda row: (-row["customers"], row["level"]))[:MOST_LEVELS]

    def left(name: str) -> int:
        return int(sum(row[name] for row in counted) - sum(row[name] for row in kept))

    while kept and left("customers") and not _usable(left("customers"), left("stayed")):
        kept.pop()
    names = tuple(row["level"] for row in kept)
    return Levels(names, not left("customers"), sum(row["customers"] for row in known))


def _combinations(facts: Snapshot, rows: Any, factors: Sequence[Factor], levels: dict[str, Levels]) -> pa.Table:
    """Customers of whom the same is known: one row each, with their number and how many of them `stayed`; levels as
    numbers, -1 for all others."""
    for column, own in levels.items():
        numbers = numbered(facts, own.names)
        found = rows.left_join(numbers, rows[column] == numbers.known)
        others = [name for name in rows.columns if name != column]
        rows = found.select(*others, **{column: found.number.fill_null(-1)})
    names = ["month", "subscribed", *(each.column for each in factors)]
    grouped = rows.group_by(names).aggregate(customers=rows.count(), stayed=rows.count(where=rows.stayed))
    return facts.arrow(grouped.order_by(names))


@dataclass(frozen=True, slots=True)
class Question:
    """A factor, or one level of it."""

    factor: Factor
    level: str | None = None

    @property
    def said(self) -> str:
        """What it is about."""
        level = self.level or self.factor.level
        return Sentence(self.factor.title) if level is None else level


class Comparison:
    """Everything that is known as flags, and what is asked of them."""

    def __init__(self, found: pa.Table, factors: Sequence[Factor], levels: dict[str, Levels]) -> None:
        self._found = {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}
        self.customers, self.stayed = (self._found[name].astype(np.float64) for name in ("customers", "stayed"))
        months, month = np.unique(self._found["month"], return_inverse=True)
        self.months = len(months)
        """In which these customers first ordered."""
        self.questions: list[Question] = []
        self.few: list[str] = []
        """What cannot be asked, since too few customers have it or have it not."""
        self._levels = levels
        self._flags: list[Mask] = [np.ones(len(month), bool)]
        self._names = [""]
        self._columns: dict[Question, int] = {}
        periods = _joined_months(tally(month, self.customers), tally(month, self.stayed))[month]
        for period in range(1, int(periods.max()) + 1):
            self._flag("month", periods == period)
        self._flag("subscribed", self._found["subscribed"].astype(bool))
        for factor in factors:
            self._add(factor)
        self.groups = Groups(np.column_stack(self._flags).astype(np.uint8), self.customers, self.stayed)
        self._products = products(self.groups)
        self._fitted: dict[tuple[str, ...], Fitted] = {}
        self._standardised: dict[str, Standardised] = {}

    @classmethod
    def of(cls, facts: Snapshot, rows: Any, factors: Sequence[Factor]) -> Self:
        """The comparison of customers, from the rows of `early_days`."""
        levels = {each.column: _levels(facts, rows, each) for each in factors if each.has_levels}
        return cls(_combinations(facts, rows, factors, levels), factors, levels)

    def _flag(self, name: str, who: Mask) -> int:
        self._flags.append(who)
        self._names.append(name)
        return len(self._flags) - 1

    def among(self, factor: Factor) -> Mask:
        """To whom it applies."""
        everybody = np.ones(len(self.customers), bool)
        return everybody if factor.within is None else self._found[factor.within].astype(bool)

    def has(self, question: Question) -> Mask:
        """Who has it."""
        values = self._found[question.factor.column]
        if question.level is None:
            return np.asarray(self.among(question.factor) & values.astype(bool))
        names = self._levels[question.factor.column].names
        return np.asarray(self.among(question.factor) & (values == names.index(question.level)))

    def count(self, who: Mask) -> tuple[int, int]:
        """How many customers, and how many of them stayed."""
        return round(float(self.customers[who].sum())), round(float(self.stayed[who].sum()))

    def _add(self, factor: Factor) -> None:
        if factor.has_levels:
            self._add_levels(factor, self._levels[factor.column])
            return
        question = Question(factor)
        who = self.has(question)
        if _usable(*self.count(who)) and _usable(*self.count(self.among(factor) & ~who)):
            self._columns[question] = self._flag(factor.name, who)
            self.questions.append(question)
        elif who.any():
            self.few.append(question.said)

    def _add_levels(self, factor: Factor, levels: Levels) -> None:
        asked = [Question(factor, name) for name in levels.names]
        if len(asked) < 1 + levels.whole:
            if levels.known:
                self.few.append(Question(factor).said)
            return
        # Where there is nobody else, the first level is what the others are flagged against.
        for question in asked[levels.whole :]:
            self._columns[question] = self._flag(factor.name, self.has(question))
        # Of two that leave nobody else, one says all that there is to say.
        self.questions += asked[1:] if levels.whole and len(asked) == 2 else asked

    def estimate(self, question: Question) -> Estimate | None:
        """The adjusted difference; None where it follows from other columns."""
        if question.level is not None:
            return self._estimate_level(question)
        fitted = self._fit(question.factor)
        column = self._columns[question]
        if column not in fitted.columns:
            return None
        ways = standardised(self.groups, fitted, [{column: 1}, {column: 0}], self.among(question.factor))
        return ways.contrast([1, -1])

    def _estimate_level(self, question: Question) -> Estimate | None:
        """One level against the others, in the proportions in which they occurred."""
        factor, levels = question.factor, self._levels[question.factor.column]
        fitted = self._fit(factor)
        every = [Question(factor, name) for name in levels.names]
        own = [self._columns[each] for each in every if each in self._columns]
        told = [each for each in every if self._columns.get(each, 0) in fitted.columns]
        if question not in told:
            return None
        if factor.column not in self._standardised:
            ways = [{column: int(self._columns.get(each) == column) for column in own} for each in told]
            pooled = [] if levels.whole else [dict.fromkeys(own, 0)]
            self._standardised[factor.column] = standardised(self.groups, fitted, ways + pooled, self.among(factor))
        others = [0 if each == question else self.count(self.has(each))[0] for each in told]
        if not levels.whole:
            others.append(self.count(self.among(factor) & (self._found[factor.column] < 0))[0])
        if not any(others):
            return None
        weights = -np.array(others, dtype=np.float64) / sum(others)
        weights[told.index(question)] = 1
        return self._standardised[factor.column].contrast(weights)

    def _fit(self, factor: Factor) -> Fitted:
        """The regression on everything but what is a part of it."""
        if factor.apart not in self._fitted:
            columns = [column for column, name in enumerate(self._names) if name not in factor.apart]
            self._fitted[factor.apart] = fit(self.groups, independent(self._products, columns))
        return self._fitted[factor.apart]


def _joined_months(customers: FloatArray, stayed: FloatArray) -> IndexArray:
    """The number of the period that each month belongs to: as many months together as it takes to compare in them."""
    found = np.zeros(len(customers), dtype=np.intp)
    begin = period = 0
    for month in range(len(customers)):
        found[month] = period
        if _usable(customers[begin : month + 1].sum(), stayed[begin : month + 1].sum()):
            begin, period = month + 1, period + 1
    # What is left at the end belongs to the period before it.
    return np.minimum(found, max(period - 1, 0))
