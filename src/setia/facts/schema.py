"""How a fact table is declared: its fields with their meaning, what identifies a row, where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of a field, named for what it holds; the value is its DuckDB type."""

    TEXT = "VARCHAR"
    INSTANT = "TIMESTAMP WITH TIME ZONE"
    """A moment, kept in UTC."""
    DAY = "DATE"
    """A calendar day in the shop's own time zone, computed once, at import."""
    INTEGER = "BIGINT"
    AMOUNT = "DECIMAL(18,4)"
    """Money in the row's currency, or a quantity."""
    RATE = "DECIMAL(18,8)"
    FLAG = "BOOLEAN"


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `default` names the column whose value stands in when a file does not have this one."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class FactTable:
    """One fact table.

    `key`: an import replaces all old rows that share this key with a new row.
    `month_of`: the DAY column by whose month files are cut; None keeps the table in one file.
    `person`: the columns by which a row belongs to a person, so that erasure finds it.
    `merged`: a new row fills in the old one, and its empty fields keep what was known.
    """

    name: str
    version: int
    meaning: str
    key: tuple[str, ...]
    month_of: str | None
    person: tuple[str, ...]
    fields: tuple[Field, ...]
    merged: bool = False
    one_row: bool = False
    """A key is one row: a row that a file repeats is the same thing told twice."""

    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)
