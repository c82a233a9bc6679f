"""The shop's own people who answer: cases that some orders bring with them."""

from __future__ import annotations

import numpy as np

from setia.simulate.baskets import Orders
from setia.simulate.calendar import Calendar
from setia.simulate.draws import Draws
from setia.simulate.files import Columns
from setia.simulate.goods import CASES
from setia.simulate.people import customer_id

_SHARE = 0.05
"""Of orders."""
_CHANNELS = (("whatsapp", 0.6), ("email", 0.3), ("telephone", 0.1))
_NEVER_SETTLED = 0.06


class Desk:
    """Makes the cases."""

    def __init__(self, draws: Draws, calendar: Calendar) -> None:
        self._draws = draws
        self._calendar = calendar

    def cases(self, orders: Orders) -> tuple[list[int], Columns]:
        """Rows of `cases` and when they are told: when each is settled, or when it was opened where it never is."""
        draws, later, text = self._draws, self._calendar.later, self._calendar.text
        some = np.flatnonzero(draws.uniform("asks", orders.mark) < _SHARE)
        mark = orders.mark[some]
        opened = later(orders.second[some], 1 + 3 * draws.uniform("asks at", mark))
        answered = later(opened, 0.25 * draws.exponential("answered at", mark))
        settled = later(answered, 0.9 * draws.exponential("settled at", mark))
        never = draws.uniform("settled", mark) < _NEVER_SETTLED
        channels = draws.pick("asks by", [weight for _, weight in _CHANNELS], mark).tolist()
        reasons = draws.pick("asks about", [weight for _, weight in CASES], mark).tolist()
        return np.where(never, opened, settled).tolist(), {
            "case_id": [f"Q{key[1:]}" for key in orders.order_id[some].tolist()],
            "customer_id": [customer_id(position) for position in orders.who[some].tolist()],
            "order_id": orders.order_id[some].tolist(),
            "channel": [_CHANNELS[n][0] for n in channels],
            "reason": [CASES[n][0] for n in reasons],
            "opened_at": text(opened),
            "first_response_at": text(np.where(never, -1, answered)),
            "resolved_at": text(np.where(never, -1, settled)),
        }
