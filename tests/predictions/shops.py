"""A shop of three rhythms, from a seed."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from setia.history.scope import Scope

SCOPE = Scope(dt.date(2025, 5, 15), "USD", "UTC")


def orders(seed: int = 1, people: int = 300, days: int = 490, money: float = 1) -> list[dict[str, Any]]:
    """Customers of three rhythms who may leave after any order."""
    r = random.Random(seed)
    found: list[dict[str, Any]] = []
    for who in range(people):
        gap, day, usual = r.choice([9, 25, 60]), r.randrange(200), r.choice([10, 30, 90])
        while day < days:
            found.append({"order_id": str(len(found)), "customer_id": f"c{who:03}", "currency": "USD",
                          "total": round(money * usual * r.randint(5, 15), 2),
                          "day": dt.date(2024, 1, 1) + dt.timedelta(days=day)})  # fmt: skip
            if r.random() < 0.12:
                break
            day += 1 + int(r.gammavariate(2, gap / 2))
    return found
