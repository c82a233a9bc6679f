"""What a metric returns: figures with their denominators, a table, and what they hold for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    import pyarrow as pa

Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Answer:
    """One metric's answer. pandas, Polars and Arrow take it as the table it holds; a notebook shows it."""

    metric: str
    scope: Scope
    figures: dict[str, Any]
    """The headline: named values, the denominators among them; None where there is none, with `reason`."""
    table: pa.Table
    reason: str | None = None
    """Why the headline is empty, as a word of `metrics.reasons`."""
    notes: tuple[str, ...] = ()
    """What has to be known beside the figures: sentences that a `Speaker` says in any language."""

    @property
    def value(self) -> Number | None:
        """The metric itself, where it is one number."""
        return self.figures.get("value")

    def rows(self) -> list[dict[str, Any]]:
        """The table's rows."""
        found: list[dict[str, Any]] = self.table.to_pylist()
        return found

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table under the Arrow C stream protocol."""
        return self.table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """The table."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas data frame."""
        return self.table.to_pandas()

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "metric": self.metric,
            "as_of": self.scope.as_of,
            "currency": self.scope.currency,
            "time_zone": self.scope.time_zone,
            "figures": self.figures,
            "reason": self.reason,
            "notes": list(self.notes),
            "rows": self.rows(),
        }

    def _repr_html_(self) -> str:
        from setia.report.notebook import show

        return show(self)


def as_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> pa.Table:
    """Rows as an Arrow table with these columns, empty or not."""
    import pyarrow as pa

    listed = list(rows)
    return pa.table({name: _column([row[name] for row in listed]) for name in columns})


def _column(values: list[Any]) -> Any:
    """Money has four places in every row, so that rows of different amounts are one column."""
    import pyarrow as pa

    if any(isinstance(value, Decimal) for value in values):
        return pa.array([None if v is None else to_money(v) for v in values], pa.decimal128(38, 4))
    return pa.array(values)


def to_money(value: Number) -> Decimal:
    """An amount with four places, halves to even."""
    return Decimal(value).quantize(Decimal("0.0001"))
