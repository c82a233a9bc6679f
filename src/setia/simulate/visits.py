"""What customers did in the shop: a visit before each order, and visits of the active that end in none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from setia.simulate.baskets import Lines, Orders
from setia.simulate.behaviour import Activity, Process
from setia.simulate.calendar import DAY, Calendar
from setia.simulate.draws import Draws
from setia.simulate.files import Columns
from setia.simulate.goods import PRODUCTS
from setia.simulate.people import People, customer_id

Ints = NDArray[np.int64]

_SESSIONS_PER_ORDER = 0.5
"""Visits without an order, for one natural order of an active customer."""
_NAMELESS_PER_ARRIVAL = 6.0
"""Visits of people who never say who they are, for each new customer of a week."""
_MINUTES = 40
_DEVICES = (("mobile", 0.72), ("desktop", 0.24), ("tablet", 0.04))
_APP_SHARE = 0.4
"""Of those who come by telephone."""


class Visits:
    """Makes the events, none if `per_order` is 0; `arrivals` are new customers a week."""

    def __init__(self, per_order: float, arrivals: float, draws: Draws, calendar: Calendar, people: People) -> None:
        self._per_order = per_order
        self._per_week = arrivals * _NAMELESS_PER_ARRIVAL
        self._draws = draws
        self._calendar = calendar
        self._people = people
        self._next: NDArray[np.float64] = np.zeros(0)
        self._number: Ints = np.zeros(0, np.int64)

    def join(self, process: Process, who: Ints, at: NDArray[np.float64]) -> None:
        """New customers arrive, at a time in season days."""
        self._next = np.append(self._next, at)
        self._number = np.append(self._number, np.zeros(len(who), np.int64))
        self._next[who] = at + self._wait(process, who)

    def _wait(self, process: Process, who: Ints) -> NDArray[np.float64]:
        rate = np.maximum(process.rate[who] * _SESSIONS_PER_ORDER, 1e-12)
        return self._draws.exponential("visit gap", who, self._number[who]) / rate

    def events(
        self, times: tuple[int, int], orders: Orders, lines: Lines, process: Process, activity: Activity
    ) -> Columns:
        """Rows of `events` of one tick from its start to its end, in order of time."""
        start, until = times
        if not self._per_order:
            return {}
        parts = [
            self._before_orders(start, orders, lines),
            self._idle(until, process, activity),
            self._nameless(start, until),
        ]
        second = np.concatenate([part[1] for part in parts])
        order = np.argsort(second, kind="stable")
        ids, who, product, adds = (np.concatenate([part[k] for part in parts])[order] for k in (0, 2, 3, 4))
        known = (who >= 0).tolist()
        return {
            "event_id": ids.tolist(),
            "customer_id": [customer_id(n) if named else "" for n, named in zip(who.tolist(), known, strict=True)],
            "name": ["Product Added" if added else "Product Viewed" for added in adds.tolist()],
            "occurred_at": self._calendar.text(second[order]),
            "product_id": [f"P{number + 1:03d}" for number in product.tolist()],
            **self._on(who),
        }

    def _on(self, who: Ints) -> Columns:
        """Browser or telephone, its kind, and whether the app was open on it: always the same for one visitor."""
        device = self._draws.pick("device", [weight for _, weight in _DEVICES], who)
        app = (device == 0) & (self._draws.uniform("app", who) < _APP_SHARE)
        return {
            "visitor": [f"V{n + 1:06d}" if n >= 0 else f"W{-n:07d}" for n in who.tolist()],
            "device": [_DEVICES[n][0] for n in device.tolist()],
            "platform": np.where(app, "app", "web").tolist(),
        }

    def _nameless(self, start: int, until: int) -> tuple[NDArray[np.generic], ...]:
        """Visits of people nobody knows, each one event long."""
        count = int(self._per_week * (until - start) / (7 * DAY))
        numbers = start // 60 * 10 + np.arange(count)  # of no other tick: a minute has no ten visits
        who = -(numbers + 1)
        second = start + (self._draws.uniform("nameless", numbers) * max(until - start, 1)).astype(np.int64)
        product = (self._draws.uniform("seen", numbers) * len(PRODUCTS)).astype(np.int64)
        ids = [f"N{number + 1:09d}" for number in numbers.tolist()]
        return np.array(ids, object), second, who, product, self._draws.uniform("takes", numbers) < 0.12

    def _before_orders(self, start: int, orders: Orders, lines: Lines) -> tuple[NDArray[np.generic], ...]:
        """The visit that ends in the order: it views what is bought, and adds it last."""
        count = np.floor(self._per_order + self._draws.uniform("events", orders.mark)).astype(np.int64)
        order = np.repeat(np.arange(len(count)), count)
        place = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
        first = np.searchsorted(lines.order, np.arange(len(count)))
        number = np.bincount(lines.order, minlength=len(count))
        product = lines.product[first[order] + place % np.maximum(number[order], 1)]
        step = _MINUTES * 60 * (count[order] - place) / np.maximum(count[order] + 1, 1)
        second = orders.second[order] - 30 - step.astype(np.int64)
        second = np.maximum(second, np.maximum(start, self._people.arrived[orders.who[order]]))
        ids = [f"E{key[1:]}-{k}" for key, k in zip(orders.order_id[order].tolist(), (place + 1).tolist(), strict=True)]
        return np.array(ids, object), second, orders.who[order], product, place == count[order] - 1

    def _idle(self, until: int, process: Process, activity: Activity) -> tuple[NDArray[np.generic], ...]:
        """Visits without an order: a Poisson process of its own, of which the active customers' part is kept."""
        end = float(self._calendar.season_days(until))
        rounds: list[tuple[Ints, NDArray[np.float64], Ints]] = [
            (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
        ]
        due = np.flatnonzero(self._next < end)
        while due.size:
            rounds.append((due, self._next[due], self._number[due].copy()))
            self._number[due] += 1
            self._next[due] += self._wait(process, due)
            due = due[self._next[due] < end]
        who, number = (np.concatenate([one[k] for one in rounds]).astype(np.int64) for k in (0, 2))
        second = self._calendar.at_season_days(np.concatenate([one[1] for one in rounds]))
        active = activity.at(who, second)
        who, number, second = who[active], number[active], second[active]
        product = (self._draws.uniform("visited", who, number) * len(PRODUCTS)).astype(np.int64)
        ids = [f"E{customer_id(one)[1:]}-v{n}" for one, n in zip(who.tolist(), number.tolist(), strict=True)]
        return np.array(ids, object), second, who, product, self._draws.uniform("adds", who, number) < 0.3
