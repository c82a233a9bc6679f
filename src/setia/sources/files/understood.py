"""What Setia makes of an export, told before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from setia.sources.files.table import Read, TextTable
from setia.warehouse.identity import Identity

ROWS = "{rows}"
"""Stands in a SELECT for the staged rows of a file, or of a set of files."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What a format must know of the shop."""

    zone: str
    """IANA zone of the shop's days."""
    currency: str
    """ISO 4217 code of amounts that name none."""
    region: str | None
    """ISO 3166 code of the country whose telephone numbers are written without their country."""
    identity: Identity
    """How it hides addresses used as keys."""
    staff: tuple[str, ...] = ()
    """Addresses, `@domains` and customer keys of its own people."""


@dataclass(frozen=True, slots=True)
class Stated:
    """The figure that the shop's system itself shows for these orders, and what it leaves out."""

    name: str
    """What the system calls it."""
    sql: str
    """Its share of one order, over the roles; repeated on each line of the order or on its first."""
    adds: Mapping[str, str] = field(default_factory=dict)
    """Reason to what Setia's total of an order has beyond it (negative: what it lacks), over the roles."""
    at: str | None = None
    """The role by whose moment the system dates an order; None: when it was placed, as Setia does."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of an export, and what is taken of it."""

    table: TextTable
    columns: Mapping[str, str]
    """Role to column of the file, to be shown."""
    reads: tuple[Read, ...]
    staged: Mapping[str, str]
    """The columns to keep, as SQL over the reads."""
    only: str | None = None
    """Which rows are data, as SQL over the reads; the others are explanations and totals."""
    carried: tuple[str, ...] = ()
    """Columns of the file whose empty cells mean the same as in the row above."""
    required: tuple[str, ...] = ()
    """Staged columns without which a row cannot be used."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The meaning of one export: which column is what, and which facts its rows become."""

    format: str
    """Name of the format, shown to the person."""
    parts: Mapping[str, Part]
    """One part named `rows`, or those of a set of tables."""
    facts: Mapping[str, str]
    """Fact table to a SELECT over `{rows}`."""
    persons: tuple[str, ...] = ()
    """Staged columns that identify a person, against which the erased are checked."""
    notes: tuple[str, ...] = ()
    others: str = ""
    """What the rows are that are no data."""
    whole_orders: bool = False
    """Orders of which no row has a time begin in another file and cannot be used without it."""
    joined: str | None = None
    """For a set of tables: the SELECT over `{name}` of each part that makes `{rows}`."""
    bridge: str | None = None
    """A SELECT over `{rows}` of one row per order: see `bridge`."""
    stated: str | None = None
    """The name of the figure that the bridge starts from."""

    @property
    def sells(self) -> bool:
        """Whether its rows are lines of orders."""
        return self.joined is not None or any("number" in part.staged for part in self.parts.values())

    @property
    def columns(self) -> dict[str, str]:
        """Role to column, of all parts."""
        return {role: column for part in self.parts.values() for role, column in part.columns.items()}
