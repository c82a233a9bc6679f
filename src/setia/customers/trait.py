"""How a trait is declared."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from setia.history.sales import days_old
from setia.history.scope import Scope

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

Kind = Literal["text", "integer", "number", "money", "day", "flag", "share"]
WINDOWS = (7, 30, 60, 90, 365)
"""Lengths in days of the windows before `as_of` that traits look at."""
TYPES: dict[str, str] = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "share": "float64",
    "flag": "boolean",
}
"""The column types of kinds; amounts and days stay what they are."""


def kind_in_conditions(kind: Kind) -> str:
    """What the condition language calls a kind: all numbers are one."""
    return "number" if kind in ("integer", "money", "share") else kind


@dataclass(frozen=True, slots=True)
class Trait:
    """The declaration of one trait: a thing known of each customer as of a day."""

    name: str
    kind: Kind
    meaning: str
    """An English sentence, translated where it is shown."""
    of: Callable[[Any, Scope], Any] | None = None
    """From the rows of its family to an aggregate of them; of a derived trait from the row of traits. None where it is
    made elsewhere."""
    needs: tuple[str, ...] = ()
    """The traits that a derived one is made of."""
    otherwise: bool | int | None = None
    """What holds for customers of whom its family knows nothing."""
    ages: bool = False
    """Whether it grows by one each day while nothing happens."""

    def expression(self, rows: Any, scope: Scope) -> Any:
        """Its Ibis expression, in the type of its kind."""
        assert self.of is not None, f"{self.name} is made elsewhere"
        value = self.of(rows, scope)
        if self.kind == "integer":
            # DuckDB adds whole numbers up to a HUGEINT, which Ibis does not know of and Parquet keeps as a float.
            value = value.cast("decimal(18, 0)")
        return value.cast(TYPES[self.kind]) if self.kind in TYPES else value


@dataclass(frozen=True, slots=True)
class Family:
    """Traits that follow from the same rows."""

    rows: Callable[[Snapshot, Scope], Any]
    """Rows with a `customer_id`, of what happened before `as_of` alone."""
    traits: tuple[Trait, ...]
    whole: bool = False
    """Whether rows of other customers decide what belongs to one: then it is made from all facts at once."""
    always: bool = False
    """Whether it changes from day to day without news: then each refresh makes it anew for everybody."""

    def table(self, facts: Snapshot, scope: Scope, names: Collection[str]) -> Any:
        """One row per customer of whom there are rows: `customer_id` and those of the traits that are named."""
        rows = self.rows(facts, scope)
        rows = rows.filter(rows.customer_id.notnull())
        wanted = {each.name: each.expression(rows, scope) for each in self.traits if each.name in names}
        return rows.group_by("customer_id").aggregate(**wanted)


def told(column: str) -> Callable[[Any, Scope], Any]:
    """What the one row that tells it says."""
    return lambda rows, _scope: rows[column].max()


def days_since(column: str) -> Callable[[Any, Scope], Any]:
    """Days from the latest day in a column to the day before `as_of`."""
    return lambda rows, scope: days_old(scope, rows[column].max())


def days_since_first(column: str) -> Callable[[Any, Scope], Any]:
    """Days from the earliest day in a column to the day before `as_of`."""
    return lambda rows, scope: days_old(scope, rows[column].min())


def within(days: int, column: str | None = None) -> Callable[[Any, Scope], Any]:
    """How many rows lie in the last days before `as_of`, one of `WINDOWS`; of flags, how many of them are set."""
    assert days in WINDOWS

    def count(rows: Any, scope: Scope) -> Any:
        recent = days_old(scope, rows.day) < days
        return rows.count(where=recent if column is None else recent & rows[column])

    return count
