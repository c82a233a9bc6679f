"""What Setia makes of one file, told before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from setia.sources.files.table import Typed
from setia.warehouse.identity import Identity


@dataclass(frozen=True, slots=True)
class Understood:
    """One file's meaning: which column is what, how to type it, and which facts its rows become."""

    format: str
    """Name of the format, shown to the person."""
    columns: dict[str, str]
    """Role to column of the file."""
    typed: tuple[Typed, ...]
    facts: dict[str, str]
    """Fact table to a SELECT over `{rows}`, the staged rows without problems."""
    persons: tuple[str, ...] = ()
    """Typed columns that identify a person, against which the erased are checked."""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Shop:
    """What a format must know of the shop: its zone, its currency, how it hides addresses used as keys."""

    zone: str
    currency: str
    identity: Identity
