"""Who the customers are: name, address, language, consent, and the few who subscribe."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from setia.simulate.calendar import DAY, Calendar
from setia.simulate.draws import Draws
from setia.simulate.files import Columns
from setia.simulate.goods import (
    CURRENCIES,
    DOMAINS,
    INDONESIAN_NAMES,
    INDONESIAN_TOWNS,
    LEAVING,
    MALAYSIAN_NAMES,
    MALAYSIAN_TOWNS,
    PLANS,
    SOURCES,
)
from setia.simulate.models import ShopSettings, UnknownCustomer

NEVER = 1 << 33
"""A second that does not come."""
_PRICE_RISE = 40 * 7 * DAY
_MONTH = 30 * DAY

Ints = NDArray[np.int64]


def customer_id(position: int) -> str:
    """The shop's key of its customer at a position, counted from 0 in order of arrival."""
    return f"C{position + 1:06d}"


def known(second: Ints, until: int) -> Ints:
    """The times as known at `until`: -1 for what has not happened yet."""
    return np.where(second < until, second, -1)


class People:
    """The customers as persons, by position. Times are seconds on the shop's calendar."""

    def __init__(self, settings: ShopSettings, draws: Draws, calendar: Calendar) -> None:
        self._settings = settings
        self._draws = draws
        self._calendar = calendar
        self._money = CURRENCIES[settings.currency]
        self.arrived: Ints = np.zeros(0, np.int64)
        self.language: Ints = np.zeros(0, np.int64)
        self.consents: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self.opted_out: Ints = np.zeros(0, np.int64)
        self._subscribes: NDArray[np.int64] = np.zeros((0, 4), np.int64)
        """Position, start, cancellation, end."""

    def join(self, who: Ints, arrived: Ints) -> None:
        """New customers arrive."""
        settings, uniform = self._settings, self._draws.uniform
        consents = uniform("address", who) < settings.consent_share
        leaves = consents & (uniform("opts out", who) < settings.optout_share)
        wait = DAY + (uniform("opt-out time", who) * 300 * DAY).astype(np.int64)
        self.arrived = np.append(self.arrived, arrived)
        self.consents = np.append(self.consents, consents)
        self.opted_out = np.append(self.opted_out, np.where(leaves, arrived + wait, NEVER))
        weights = [weight for _, weight in settings.languages]
        self.language = np.append(self.language, self._draws.pick("language", weights, who))

        mask = uniform("subscribes", who) < settings.subscription_share
        some, since = who[mask], arrived[mask]
        start = since + (uniform("subscription start", some) * 60 * DAY).astype(np.int64)
        cancel = start + DAY + (self._draws.exponential("subscription length", some) * 260 * DAY).astype(np.int64)
        end = start + ((cancel - start) // _MONTH + 1) * _MONTH
        self._subscribes = np.concatenate([self._subscribes, np.stack([some, start, cancel, end], axis=1)])

    def position(self, key: str) -> int:
        """The position of a customer. Raises UnknownCustomer."""
        number = key[1:]
        if number.isascii() and number.isdigit():
            position = int(number) - 1
            if 0 <= position < len(self.arrived) and customer_id(position) == key:
                return position
        raise UnknownCustomer(customer_id=key)

    def reachable(self, who: Ints, second: Ints) -> NDArray[np.bool_]:
        """Whether a mail could arrive at that time: an address, consent, and no word to stop."""
        return self.consents[who] & (second < self.opted_out[who])

    def languages(self, who: Ints) -> list[str]:
        """Language of messages: en, id or ms."""
        names = [name for name, _ in self._settings.languages]
        return [names[number] for number in self.language[who].tolist()]

    def changed(self, start: int, until: int) -> Ints:
        """Customers who arrived or opted out in that time."""
        new = (self.arrived >= start) & (self.arrived < until)
        left = (self.opted_out >= start) & (self.opted_out < until)
        return np.flatnonzero(new | left)

    def customers(self, who: Ints, until: int) -> Columns:
        """Rows of `customers`, as known at `until`."""
        draws, text = self._draws, self._calendar.text
        languages, malaysian = self.languages(who), self.malaysian(who)
        names = self._names(who, malaysian)
        towns = _choose(INDONESIAN_TOWNS, MALAYSIAN_TOWNS, malaysian, draws.uniform("town", who))
        addressed = draws.uniform("address", who) < self._settings.email_share
        domains = draws.pick("domain", (6, 3, 2), who).tolist()
        born = date(1965, 1, 1).toordinal() + (draws.uniform("born", who) * 40 * 365.25).astype(np.int64)
        tells = draws.uniform("tells birthday", who) < 0.6
        sources = draws.pick("source", [weight for _, weight in SOURCES], who).tolist()
        numbers = (who + 1).tolist()
        return {
            "customer_id": [customer_id(number - 1) for number in numbers],
            "email": [
                f"{name.lower()}.{number}@{DOMAINS[domain]}" if has else ""
                for name, number, domain, has in zip(names, numbers, domains, addressed.tolist(), strict=True)
            ],
            "name": names,
            "language": languages,
            "country": ["MY" if is_malaysian else "ID" for is_malaysian in malaysian.tolist()],
            "city": towns,
            "birth_date": [
                date.fromordinal(day).isoformat() if told else ""
                for day, told in zip(born.tolist(), tells.tolist(), strict=True)
            ],
            "source": [SOURCES[number][0] for number in sources],
            "created_at": text(self.arrived[who]),
            "email_consent_at": text(np.where(self.consents[who], self.arrived[who], -1)),
            "email_optout_at": text(known(self.opted_out[who], until)),
        }

    def malaysian(self, who: Ints) -> NDArray[np.bool_]:
        """Whether a customer lives in Malaysia; the others live in Indonesia."""
        share = {"id": 0.0, "ms": 1.0}
        by_language = [share.get(name, 0.9 if self._settings.currency == "MYR" else 0.3) for name, _ in self._mix]
        return self._draws.uniform("country", who) < np.array(by_language)[self.language[who]]

    @property
    def _mix(self) -> tuple[tuple[str, float], ...]:
        return self._settings.languages

    def _names(self, who: Ints, malaysian: NDArray[np.bool_]) -> list[str]:
        return _choose(INDONESIAN_NAMES, MALAYSIAN_NAMES, malaysian, self._draws.uniform("name", who))

    def subscriptions(self, start: int, until: int) -> Columns:
        """Rows of `subscriptions` that began or changed in that time, as known at `until`."""
        who, begun, cancelled, ended = self._subscribes.T
        rises = (begun < _PRICE_RISE) & (ended > _PRICE_RISE)
        first_cancel = np.where(rises & (cancelled >= _PRICE_RISE), NEVER, cancelled)
        first = np.stack([who, begun, first_cancel, np.where(rises, _PRICE_RISE, ended), begun >= _PRICE_RISE])
        early = np.where(cancelled < _PRICE_RISE, _PRICE_RISE, cancelled)
        second = np.stack([who, np.full_like(who, _PRICE_RISE), early, ended, np.ones_like(who)])[:, rises]
        rows = np.concatenate([first, second], axis=1)
        touched = ((rows[1:4] >= start) & (rows[1:4] < until)).any(axis=0) & (rows[1] < until)
        rows = rows[:, touched]
        rows = rows[:, np.lexsort((rows[1], rows[0]))]
        return self._subscription_rows(rows, until)

    def _subscription_rows(self, rows: Ints, until: int) -> Columns:
        who, begun, cancelled, ended, dear = rows
        plans = self._draws.pick("plan", (4, 5, 2), who).tolist()
        prices = [
            self._money.price(round(PLANS[plan][1] * (1.1 if is_dear else 1.0)))
            for plan, is_dear in zip(plans, dear.tolist(), strict=True)
        ]
        text = self._calendar.text
        return {
            "subscription_id": [f"S{position + 1:06d}" for position in who.tolist()],
            "customer_id": [customer_id(position) for position in who.tolist()],
            "plan": [PLANS[plan][0] for plan in plans],
            "amount": [self._money.text(price) for price in prices],
            "currency": [self._settings.currency] * len(plans),
            "period_months": ["1"] * len(plans),
            "started_at": text(begun),
            "cancelled_at": text(known(cancelled, until)),
            "ended_at": text(known(ended, until)),
            "reason": self._reasons(who, known(cancelled, until)),
        }

    def _reasons(self, who: Ints, cancelled: Ints) -> list[str]:
        """Why those who ended theirs did; three in ten do not say."""
        says = (cancelled >= 0) & (self._draws.uniform("says why", who) < 0.7)
        why = self._draws.pick("why", [weight for _, weight in LEAVING], who).tolist()
        return [LEAVING[n][0] if told else "" for n, told in zip(why, says.tolist(), strict=True)]


def _choose(
    indonesian: tuple[str, ...],
    malaysian: tuple[str, ...],
    is_malaysian: NDArray[np.bool_],
    uniform: NDArray[np.float64],
) -> list[str]:
    """One of either list for each person."""
    return [
        (malaysian if where else indonesian)[int(share * len(malaysian if where else indonesian))]
        for where, share in zip(is_malaysian.tolist(), uniform.tolist(), strict=True)
    ]
