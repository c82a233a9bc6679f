"""Amounts of other currencies in the shop's own, at the last rate known on their day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot


def in_own_currency(facts: Snapshot, scope: Scope, rows: ir.Table, column: str) -> ir.Table:
    """The rows with an amount column in the shop's currency, rounded to four places.

    An amount in another currency takes the newest of the rates up to its `day`; without any, or past 14 digits, it is
    null, so that it stands in no sum and its order still counts.
    """
    import ibis

    table: Any = rows
    if not facts.rows("rates"):
        return table.mutate(**{column: _own(table, scope).ifelse(table[column], ibis.null("decimal(18, 4)"))})
    rates: Any = facts.table("rates")
    rates = rates.filter(rates.to_currency == scope.currency, rates.from_currency != scope.currency)
    spans = rates.select(
        "from_currency",
        "rate",
        since=rates.day,
        until=rates.day.lead().over(group_by=rates.from_currency, order_by=rates.day),
    )
    joined = table.left_join(
        spans,
        [
            table.currency == spans.from_currency,
            table.day >= spans.since,
            (table.day < spans.until) | spans.until.isnull(),
        ],
    )
    # With a 19th digit of one of the two, or their product is worked out in 64 bits and has no room.
    converted = (joined[column] * joined.rate.cast("decimal(19, 8)")).try_cast("decimal(18, 4)")
    kept = _own(joined, scope).ifelse(joined[column], converted)
    return joined.mutate(**{column: kept}).select(*table.columns)


def _own(rows: Any, scope: Scope) -> Any:
    """Whether a row is in the shop's own currency; rows that name none are."""
    return rows.currency.isnull() | (rows.currency == scope.currency)
