"""How a metric is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from setia.kernel.statistics import Interval, Proportion
from setia.metrics.answer import Answer, Number, to_money

if TYPE_CHECKING:
    from setia.history.scope import Scope
    from setia.warehouse.snapshot import Snapshot

Unit = Literal["share", "money", "days", "hours", "orders", "ratio", "score", "months", "table"]
Better = Literal["higher", "lower", "neither"]
Parts = dict[str, Any]
"""The sums that a figure is made of, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The declaration of one metric. Sentences are English and translated where they are shown."""

    name: str
    title: str
    formula: str
    unit: Unit
    population: str
    better: Better
    source: str
    needs: tuple[str, ...] = ("orders",)
    """The fact tables without which there is nothing to say."""
    check: str = ""
    """The check query's name where it is not the metric's own."""

    def ask(self, facts: Snapshot, scope: Scope, **options: Any) -> Answer:
        """The answer for a scope; each kind of metric has its own options."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """The names of the options with their defaults."""
        raise NotImplementedError

    def check_query(self) -> str:
        """The SQL that was written by hand beside it: plain DuckDB over the fact tables, parameters marked with $."""
        name = f"{self.check or self.name}.sql"
        return (resources.files("setia.metrics") / "checks" / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Metric):
    """A metric whose answer is a table of its own shape."""

    answers: Callable[..., Answer]
    """From snapshot, scope and options to the answer."""

    def ask(self, facts: Snapshot, scope: Scope, **options: Any) -> Answer:
        """The answer for a scope. Options are those of the function."""
        return self.answers(facts, scope, **options)

    def options(self) -> dict[str, Any]:
        """The names of the options with their defaults."""
        return dict(self.answers.__kwdefaults__ or {})


@dataclass(frozen=True, slots=True)
class Part:
    """One of the sums a measure is made of. A `count` of customers can be listed by name."""

    name: str
    title: str
    kind: Literal["count", "money", "number"] = "count"


@dataclass(frozen=True, slots=True)
class Formula:
    """How a measure's value follows from its parts."""

    value: Callable[[Parts], Number | None]
    """None where there is nothing to divide by."""
    empty: str | Callable[[Parts], str]
    """The reason then."""
    interval: Callable[[Parts], Interval] | None = None
    """How sure it is, from the parts alone; 95 %."""

    def reason(self, parts: Parts) -> str:
        """Why there is no value."""
        return self.empty if isinstance(self.empty, str) else self.empty(parts)


def share(part: str, of: str, empty: str) -> Formula:
    """A share with its Wilson interval."""

    def value(parts: Parts) -> float | None:
        return parts[part] / parts[of] if parts[of] else None

    return Formula(value, empty, lambda parts: Proportion(parts[part], parts[of]).wilson())


def per(amount: str, of: str, empty: str) -> Formula:
    """So much for each; money stays exact to four places."""

    def value(parts: Parts) -> Number | None:
        if not parts[of]:
            return None
        if isinstance(parts[amount], Decimal):
            return to_money(parts[amount] / parts[of])
        return float(parts[amount] / parts[of])

    return Formula(value, empty)


def portion(amount: str, of: str, empty: str) -> Formula:
    """A share of a sum: nothing was drawn, so that no interval belongs to it."""

    def value(parts: Parts) -> float | None:
        return float(parts[amount] / parts[of]) if parts[of] else None

    return Formula(value, empty)
