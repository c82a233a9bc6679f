"""What every engine offers of a snapshot: the fact tables as Ibis expressions, and the rows of an answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


T = TypeVar("T")


class Snapshot(Protocol):
    """The facts of one moment under one engine. What is asked through this alone gives the same on all of them."""

    def table(self, name: str) -> ir.Table:
        """A table as an Ibis expression. Raises NotRefreshed for a derived table that is not there."""

    def rows(self, table: str) -> int:
        """How many rows a table has, from the catalogue alone."""

    def arrow(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression, in the types that Ibis gives them."""

    def kept(self, expression: ir.Table) -> ir.Table:
        """The same rows, worked out once and kept as long as the snapshot is open."""

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for each key as long as the snapshot is open: a snapshot never changes."""


def listed(facts: Snapshot, expression: Any) -> list[dict[str, Any]]:
    """The rows of an expression as dictionaries."""
    rows: list[dict[str, Any]] = facts.arrow(expression).to_pylist()
    return rows


class Memory:
    """What was worked out of one snapshot."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for each key."""
        if key not in self._known:
            self._known[key] = make()
        return cast("T", self._known[key])
