"""How a metric is declared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from setia.kernel.i18n import N_, Sentence
from setia.kernel.statistics import Interval, Proportion
from setia.metrics.answer import Answer, Number, to_money
from setia.metrics.attributes import ATTRIBUTES, unknown_attribute
from setia.metrics.options import checked

if TYPE_CHECKING:
    from setia.history.scope import Scope
    from setia.metrics.attributes import By
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
    needs_too: Callable[[Scope], tuple[str, ...]] = lambda _scope: ()
    """Further ones, by what the shop has chosen."""
    own: tuple[str, ...] = ()
    """What it can be broken down by, beside the attributes of customers."""
    of_customers: bool = True
    """Whether it can be broken down by these."""
    has_windows: ClassVar[bool] = False
    check: str = ""
    """The check query's name where it is not the metric's own."""

    def ask(self, facts: Snapshot, scope: Scope, **options: Any) -> Answer:
        """The answer for a scope; each metric has its own options. Raises UnknownOption, BadOption, UnknownAttribute."""
        given = checked(self.name, self.options(), options)
        by = given.get("by")
        # A segment of a metric of customers that has no windows says so itself.
        if by is not None and not self.divides(by) and (isinstance(by, str) or not self.of_customers):
            raise unknown_attribute(by if isinstance(by, str) else by.name, self.groups())
        answer = self.answer(facts, scope, **given)
        lacking = self.lacking(facts, scope) if answer.reason and not answer.table.num_rows else None
        return replace(answer, reason=lacking) if lacking not in (None, "no_orders") else answer

    def answer(self, facts: Snapshot, scope: Scope, **options: Any) -> Answer:
        """The same for options that are known to be good."""
        raise NotImplementedError

    def lacking(self, facts: Snapshot, scope: Scope) -> str | None:
        """The reason where a fact table that it needs is empty."""
        return next((f"no_{table}" for table in (*self.needs, *self.needs_too(scope)) if not facts.rows(table)), None)

    def divides(self, by: str | By) -> bool:
        """Whether it can be broken down by something: its own columns, attributes of customers, segments."""
        if "by" not in self.options():
            return False
        if isinstance(by, str):
            return by in self.groups()
        return self.of_customers and (self.has_windows or not by.needs_windows)

    def groups(self) -> tuple[str, ...]:
        """The names of what it can be broken down by."""
        return (*self.own, *(ATTRIBUTES if self.of_customers else ()))

    def options(self) -> dict[str, Any]:
        """The names of the options with their defaults."""
        raise NotImplementedError

    def check_query(self) -> str:
        """The SQL that was written by hand beside it: plain DuckDB over the fact tables, parameters marked with $."""
        return _written(self.check or self.name)


def _written(name: str) -> str:
    """A file of `checks/`, its `{names}` of common table expressions replaced by those of `checks/parts/`."""
    text = (resources.files("setia.metrics") / "checks" / f"{name}.sql").read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: _written(f"parts/{found[1]}").rstrip("\n"), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Metric):
    """A metric whose answer is a table of its own shape."""

    answers: Callable[..., Answer]
    """From snapshot, scope and options to the answer."""

    def answer(self, facts: Snapshot, scope: Scope, **options: Any) -> Answer:
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
    """`money` is shown in the shop's currency, `number` is a quantity of something."""


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


UNPRICED = Part("unpriced", N_("Amounts without a rate"))


def unpriced(parts: Parts) -> Iterable[str]:
    """The note that amounts were left out."""
    if parts["unpriced"]:
        yield Sentence(
            N_(
                "{n} amounts are in a currency without a rate, or too large, and are left out; import a table of rates."
            ),
            n=parts["unpriced"],
        )


def per(amount: str, of: str, empty: str | Callable[[Parts], str]) -> Formula:
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
