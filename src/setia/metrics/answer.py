"""What a metric returns: figures with their denominators, a table, and what they hold for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Scope:
    """What figures hold for: everything that happened on shop-local days before `as_of`."""

    as_of: dt.date
    currency: str
    time_zone: str

    @property
    def until(self) -> dt.datetime:
        """The first moment that no longer counts: midnight in the shop when `as_of` begins, in UTC."""
        return dt.datetime.combine(self.as_of, dt.time(), ZoneInfo(self.time_zone)).astimezone(dt.UTC)

    @property
    def last_day(self) -> dt.date:
        """The last day that counts."""
        return self.as_of - dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """One metric's answer. pandas, Polars and Arrow take it as the table it holds; a notebook shows it."""

    metric: str
    scope: Scope
    figures: dict[str, Any]
    """The headline: named values, the denominators among them; None where there is none, with `reason`."""
    table: pa.Table
    reason: str | None = None
    """Why the headline is empty, as a stable word: no_customers, history_too_short."""

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
            "rows": self.table.to_pylist(),
        }

    def _repr_html_(self) -> str:
        from setia.report.notebook import show

        return show(self)


def as_table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pa.Table:
    """Rows as an Arrow table with these columns, empty or not."""
    import pyarrow as pa

    return pa.table({name: [row[name] for row in rows] for name in columns})
