"""How customers buy, drop out and react to a mail, and the exact chances that follow.

While active, a customer orders as a Poisson process of rate lambda times the common season; after each order,
the first included, the customer drops out with a fixed chance of their own: the model of Batislam, Denizel and
Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis", with a season.
Since drop-out happens only at orders, the next order of an active customer is memoryless.

A reaction to a mail is one more order beside that process: it changes nothing for an active customer, and makes
an inactive one active again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from setia.simulate.draws import Draws

REACTION_DAYS = 5.0
"""A reaction comes at most this many days after the mail arrived, uniform over the waking hours."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def pull(step: int, offer_kind: str, offer_value: float, usual_order: float, effect: float) -> float:
    """Chance that a fully responsive customer orders because of one mail; each later step pulls less.

    `usual_order` is the value of a usual order in the shop's currency, against which an amount is weighed.
    """
    percent = {"percent": offer_value, "amount": 100 * offer_value / usual_order}.get(offer_kind, 0.0)
    extra = {"free_shipping": 0.03, "gift": 0.05}.get(offer_kind, min(0.006 * percent, 0.3))
    return min(1.0, effect * (0.06 + extra) * 0.85 ** (max(step, 1) - 1))


def chance_of_order(rate: Floats, active: Flags, season_days: Floats) -> Floats:
    """P0: chance of at least one natural order while `season_days` pass, given the state at their beginning."""
    return np.asarray(np.where(active, -np.expm1(-rate * season_days), 0.0))


def chance_with_mails(untreated: Floats, pulls: Floats) -> Floats:
    """P1: chance of any order, where `pulls` has one row per mail: its chance of a reaction inside the window.

    Exact although a mail is sent only while no order was placed: the mails not sent are those of customers who
    have ordered already, so the event "no order at all" is the same as if every mail were sent.
    """
    return np.asarray(untreated + (1.0 - untreated) * (1.0 - np.prod(1.0 - pulls, axis=0)))


class Activity:
    """Who was active when: every beginning and end of activity, kept so that a past state can be asked for."""

    _BITS = 34

    def __init__(self) -> None:
        self._keys: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        self._flags: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]

    def note(self, who: Ints, second: Ints, *, active: bool) -> None:
        """From this second on, these customers are active, or not."""
        self._keys.append((who << self._BITS) + second)
        self._flags.append(np.full(len(who), active))

    def at(self, who: Ints, second: Ints) -> Flags:
        """Whether each customer was active, everything up to and including that second taken into account."""
        if len(self._keys) > 1:
            keys, flags = np.concatenate(self._keys), np.concatenate(self._flags)
            order = np.argsort(keys, kind="stable")
            self._keys, self._flags = [keys[order]], [flags[order]]
        keys, flags = self._keys[0], self._flags[0]
        if not keys.size:
            return np.zeros(len(who), np.bool_)
        position = np.searchsorted(keys, (who << self._BITS) + second, side="right") - 1
        found = (position >= 0) & (keys[position] >> self._BITS == who)
        return np.asarray(found & flags[position])


@dataclass(frozen=True, slots=True)
class Purchases:
    """Orders of the natural process. `at` in season days; `number` counts the customer's own from 0."""

    who: Ints
    at: Floats
    number: Ints
    last: Flags
    """Whether the customer dropped out after it."""


class Process:
    """Purchase and drop-out of all customers, in season days. A customer is a position, in order of arrival."""

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.rate: Floats = np.zeros(0)
        self.drop_out: Floats = np.zeros(0)
        self.responsiveness: Floats = np.zeros(0)
        self.next_at: Floats = np.zeros(0)
        """When the next natural order is due; infinite for the inactive."""
        self.number: Ints = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.rate)

    def join(
        self,
        at: Floats,
        rate: tuple[float, float],
        drop_out: tuple[float, float],
        responsiveness: tuple[float, float],
        at_once: float,
    ) -> Ints:
        """Let new customers arrive; `rate` holds shape and mean of a gamma, the others are betas. Their positions."""
        from scipy.special import betaincinv, gammaincinv

        who = np.arange(len(self), len(self) + len(at), dtype=np.int64)
        uniform = self.draws.uniform
        shape, mean = rate
        new_rate = gammaincinv(shape, uniform("rate", who)) * mean / shape
        waits = np.where(
            uniform("at once", who) < at_once, 0.0, self.draws.exponential("gap", who, 0) / np.maximum(new_rate, 1e-12)
        )
        self.rate = np.append(self.rate, new_rate)
        self.drop_out = np.append(self.drop_out, betaincinv(*drop_out, uniform("drop-out trait", who)))
        self.responsiveness = np.append(self.responsiveness, betaincinv(*responsiveness, uniform("responsive", who)))
        self.next_at = np.append(self.next_at, at + waits)
        self.number = np.append(self.number, np.zeros(len(at), np.int64))
        return who

    def run(self, until: float, who: Ints | None = None) -> Purchases:
        """Place every natural order due before `until`, of all customers or of those given."""
        due = np.arange(len(self), dtype=np.int64) if who is None else who
        due = due[self.next_at[due] < until]
        rounds: list[tuple[Ints, Floats, Ints, Flags]] = []
        while due.size:
            at, number = self.next_at[due], self.number[due]
            last = self.draws.uniform("drop-out", due, number) < self.drop_out[due]
            rounds.append((due, at, number, last))
            self.number[due] += 1
            self.next_at[due] = np.where(last, np.inf, at + self._gap(due))
            due = due[self.next_at[due] < until]
        if not rounds:
            return Purchases(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.bool_))
        return Purchases(*(np.concatenate(column) for column in zip(*rounds, strict=True)))

    def reactivate(self, who: Ints, at: Floats) -> None:
        """Let inactive customers buy again, at their old rate, from that time on."""
        self.next_at[who] = at + self._gap(who)

    def redraw(self, draws: Draws, now: float) -> None:
        """Give everybody another future: by memorylessness the active wait anew from `now`."""
        self.draws = draws
        active = np.flatnonzero(np.isfinite(self.next_at))
        self.next_at[active] = now + self._gap(active)

    def _gap(self, who: Ints) -> Floats:
        return self.draws.exponential("gap", who, self.number[who]) / np.maximum(self.rate[who], 1e-12)
