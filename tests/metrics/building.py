"""Small facts by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

from setia.history.scope import Scope
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS

JULY = Scope(dt.date(2024, 6, 29), "USD", "UTC")


def ask(reader: Any, name: str, scope: Scope = JULY, **options: Any) -> Answer:
    return METRICS[name].ask(reader, scope, **options)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2024-{text}")


def at(text: str) -> dt.datetime:
    """A moment of 2024 in UTC: `02-01 09:30`."""
    return dt.datetime.fromisoformat(f"2024-{text}").replace(tzinfo=dt.UTC)


def order(number: str, customer: str | None, on: str, total: object = 10, **more: Any) -> dict[str, Any]:
    placed = at(on if " " in on else f"{on} 12:00")
    return {
        "order_id": number,
        "customer_id": customer,
        "placed_at": placed,
        "day": placed.date(),
        "total": total,
        **more,
    }


def bought(customer: str, *days: str, total: object = 10) -> list[dict[str, Any]]:
    """One order on each of these days."""
    return [order(f"{customer}-{n}", customer, on, total) for n, on in enumerate(days)]


def buyers(name: str, people: range, on: str) -> str:
    """One order each by the people of these numbers."""
    return (
        f"select 'c' || i as customer_id, '{name}' || i as order_id, date '{on}' as day, 10 as total "
        f"from range({people.start}, {people.stop}) t(i)"
    )
