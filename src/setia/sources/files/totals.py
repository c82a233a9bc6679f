"""What an import would bring, in the figures by which an owner recognises the shop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from setia.warehouse.duck import row
from setia.warehouse.writer import StagedTables

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Totals:
    """The facts of one import, before they are written. Orders that count nowhere are counted apart."""

    orders: int = 0
    """Orders that count: neither cancelled nor trials nor of the shop's own people."""
    customers: int = 0
    """Different customers of them."""
    guests: int = 0
    """Orders of nobody who is known."""
    lines: int = 0
    returns: int = 0
    cancelled: int = 0
    undelivered: int = 0
    """Parcels that could not be handed over, mostly cash on delivery; neither returns nor lost customers."""
    trials: int = 0
    staff: int = 0
    free: int = 0
    """Orders that count and cost nothing."""
    net_sales: dict[str, Decimal] = field(default_factory=dict)
    """Currency to totals of the orders that count, less returns."""
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    rows: dict[str, int] = field(default_factory=dict)
    """Fact table to rows, of all tables."""


_COUNTS = "cancelled_at is null and not coalesce(is_test, false) and not coalesce(is_staff, false)"


def count(duck: duckdb.DuckDBPyConnection, groups: Sequence[StagedTables]) -> Totals:
    """The totals of staged tables."""
    rows: dict[str, int] = {}
    for group in groups:
        for name, number in group.rows().items():
            rows[name] = rows.get(name, 0) + number
    orders, returns = ([f for group in groups if (f := group.source(name))] for name in ("orders", "returns"))
    net: dict[str, Decimal] = {}
    for select, sign in [*((each, 1) for each in orders), *((each, -1) for each in returns)]:
        amount = f"sum(total) filter (where {_COUNTS})" if sign > 0 else "-sum(amount)"
        for currency, value in duck.execute(f"select currency, {amount} from {select} group by currency").fetchall():
            if value is not None:
                net[currency] = net.get(currency, Decimal(0)) + value
    if not orders:
        return Totals(lines=rows.get("order_lines", 0), returns=rows.get("returns", 0), net_sales=net, rows=rows)
    all_orders = " union all by name ".join(f"select * from {each}" for each in orders)
    found = row(
        duck,
        f"""select count(*) filter (where counts and not adjusts),
            count(distinct customer_id) filter (where counts and not adjusts),
            count(*) filter (where counts and not adjusts and customer_id is null),
            count(*) filter (where cancelled_at is not null and undelivered_at is null), count(undelivered_at),
            count(*) filter (where is_test), count(*) filter (where is_staff),
            count(*) filter (where counts and not adjusts and total = 0), min(day), max(day)
        from (select *, {_COUNTS} as counts, coalesce(is_adjustment, false) as adjusts from ({all_orders}))""",
    )
    orders_that_count, customers, guests, cancelled, undelivered, trials, staff, free, first, last = found
    return Totals(
        orders_that_count, customers, guests, rows.get("order_lines", 0), rows.get("returns", 0), cancelled,
        undelivered, trials, staff, free, dict(sorted(net.items())), first, last, rows,
    )  # fmt: skip
