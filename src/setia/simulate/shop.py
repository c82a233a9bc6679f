"""The shop on its clock."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from setia.simulate.baskets import Baskets, Orders
from setia.simulate.behaviour import (
    REACTION_DAYS,
    Activity,
    Process,
    Purchases,
    chance_of_order,
    chance_with_mails,
    pull,
)
from setia.simulate.calendar import DAY, Calendar
from setia.simulate.desk import Desk
from setia.simulate.draws import Draws
from setia.simulate.files import Columns, Later, write
from setia.simulate.goods import CURRENCIES
from setia.simulate.models import (
    ArrivedMail,
    Enrolment,
    HistoryMissing,
    HistoryWritten,
    ShopSettings,
)
from setia.simulate.people import People, customer_id
from setia.simulate.visits import Visits

_SPENT_ON = (
    ("advertising", "instagram", 22),
    ("advertising", "tiktok", 16),
    ("advertising", "search", 12),
    ("support", "", 9),
    ("loyalty", "", 6),
)
"""Thousand rupiah for each customer won in a week: category, channel, amount."""
_RETURNS = ("return_id", "order_id", "customer_id", "product_id", "quantity", "amount", "currency", "returned_at")
_CASES = ("case_id", "customer_id", "order_id", "channel", "reason", "opened_at", "first_response_at", "resolved_at")
_ANSWERS = ("answer_id", "customer_id", "survey", "score", "scale", "comment", "answered_at")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Reaction:
    """An order to come because of a mail."""

    second: int
    who: int
    mail: ArrivedMail
    mark: int


class SimulatedShop:
    """A shop with customers who buy, drop out and react to mails.

    `history` first, then one `tick` after the other. At each step the caller imports the files, lets the
    programmes send at the simulated time `now`, and hands the mails that arrived to the next `tick`.
    """

    def __init__(self, settings: ShopSettings) -> None:
        self.settings = settings
        draws = Draws(settings.seed)
        self._draws = draws
        self._calendar = Calendar(settings.start, settings.time_zone, season=settings.season)
        self._process = Process(draws)
        self._activity = Activity()
        self._people = People(settings, draws, self._calendar)
        self._baskets = Baskets(settings, draws, self._calendar, self._people)
        self._visits = Visits(settings.events_per_order, settings.weekly_arrivals, draws, self._calendar, self._people)
        self._returns, self._answers, self._cases = Later(_RETURNS), Later(_ANSWERS), Later(_CASES)
        self._desk = Desk(draws, self._calendar)
        self._reactions: list[_Reaction] = []
        self._orders_of: Ints = np.zeros(0, np.int64)
        self._second = 0
        self._next_arrival = 0.0

    @property
    def now(self) -> datetime:
        """The start of the next tick, in the shop's time zone."""
        return self._calendar.moment(self._second)

    def history(self, folder: Path) -> list[Path]:
        """Write everything up to `start` + `weeks_of_history`. Returns the paths. Raises HistoryWritten."""
        if self._second:
            raise HistoryWritten
        until = self.settings.weeks_of_history * 7 * DAY
        end = float(self._calendar.season_days(until))
        numbers = np.arange(self.settings.customers)
        self._join(np.sort(self._draws.uniform("past arrival", numbers)) * end)
        self._next_arrival = end + self._arrival_wait()
        return write(folder, {"products": self._baskets.products(), **self._run(until)})

    def tick(self, folder: Path, mails: Iterable[ArrivedMail] = (), days: int = 7) -> list[Path]:
        """Let `days` days pass and write what happened in them, and nothing else. Returns the paths of the files.

        `mails` are those that arrived since the last tick. A reaction comes within five days, by the
        clock of waking hours, of the mail's arrival, or of `now` if the mail arrived earlier; a reaction beyond
        the tick waits for its own. Two mails of one step to one customer at one instant count as one.
        Raises HistoryMissing, UnknownCustomer.
        """
        return write(folder, self._advance(mails, days))

    def reachable(self, customer_id: str) -> bool:
        """Whether a mail sent `now` would arrive. Raises UnknownCustomer."""
        who = np.array([self._people.position(customer_id)])
        return bool(self._people.reachable(who, np.array([self._second]))[0])

    def true_difference(self, enrolments: Sequence[Enrolment], window_days: float) -> float:
        """The expected difference by intention to treat: see `true_rates`."""
        treated, held_out = self.true_rates(enrolments, window_days)
        return treated - held_out

    def true_rates(self, enrolments: Sequence[Enrolment], window_days: float) -> tuple[float, float]:
        """Expected share with an order within `window_days` of entry, were all treated, and were all held out.

        The mean over all enrolments given, whichever their arm, of the exact chances given each customer's
        latent state at entry; both 0 without enrolments. The plan must be what happens: each mail arrives
        `after_days` after entry, at the start of a tick or later, unless the customer ordered since entry or
        cannot be reached, and no other programme writes to them. A mail less than five days before the end of the
        window counts with the part of its reactions that falls inside. Raises UnknownCustomer.
        """
        if not enrolments:
            return 0.0, 0.0
        who = np.array([self._people.position(one.customer_id) for one in enrolments])
        entered = np.array([self._calendar.second(one.entered_at) for one in enrolments])
        end = entered + window_days * DAY
        season_days = self._calendar.season_days(end) - self._calendar.season_days(entered)
        active = self._activity.at(who, np.floor(entered).astype(np.int64))
        held_out = chance_of_order(self._process.rate[who], active, season_days)
        treated = chance_with_mails(held_out, self._pulls(enrolments, who, entered, end))
        return float(treated.mean()), float(held_out.mean())

    def _pulls(self, enrolments: Sequence[Enrolment], who: Ints, entered: Floats, end: Floats) -> Floats:
        """For each planned mail and enrolment, the chance of a reaction inside the window."""
        usual = self._baskets.usual_order
        most = max(len(one.mails) for one in enrolments)
        base, arrives = np.zeros((most, len(who))), np.tile(end, (most, 1))
        for column, one in enumerate(enrolments):
            for row, mail in enumerate(one.mails):
                base[row, column] = pull(mail.step, mail.offer_kind, mail.offer_value, usual, self.settings.effect)
                arrives[row, column] = entered[column] + mail.after_days * DAY
        arrives = np.minimum(arrives, end)
        inside = (self._calendar.waking_days(end) - self._calendar.waking_days(arrives)) / REACTION_DAYS
        people = np.broadcast_to(who, arrives.shape)
        reached = self._people.reachable(people, np.floor(arrives).astype(np.int64))
        return base * self._process.responsiveness[who] * np.clip(inside, 0.0, 1.0) * reached

    def _another_future(self, seed: int) -> SimulatedShop:
        """A shop with the same past and present, whose future is drawn anew."""
        other = copy.deepcopy(self)
        other._draws = Draws(seed)
        other._process.redraw(other._draws, float(self._calendar.season_days(self._second)))
        return other

    def _advance(self, mails: Iterable[ArrivedMail], days: int) -> dict[str, Columns]:
        """The rows of one tick, by table."""
        if not self._second:
            raise HistoryMissing
        self._receive(mails)
        until = self._second + days * DAY
        end = float(self._calendar.season_days(until))
        arrivals = []
        while self._next_arrival < end:
            arrivals.append(self._next_arrival)
            self._next_arrival += self._arrival_wait(len(arrivals))
        self._join(np.array(arrivals))
        return self._run(until)

    def _arrival_wait(self, ahead: int = 0) -> float:
        """Season days between one arrival and the next."""
        weekly = self.settings.weekly_arrivals
        wait = self._draws.exponential("arrival", len(self._process) + ahead)[0]
        return float(wait) * 7 / weekly if weekly else np.inf

    def _join(self, at: Floats) -> None:
        settings = self.settings
        rate = (settings.rate_shape, 1 / settings.usual_gap_days)
        who = self._process.join(at, rate, settings.drop_out, settings.responsiveness, settings.buys_at_once)
        arrived = self._calendar.at_season_days(at)
        self._people.join(who, arrived)
        self._visits.join(self._process, who, at)
        self._activity.note(who, arrived, active=True)
        self._orders_of = np.append(self._orders_of, np.zeros(len(who), np.int64))

    def _receive(self, mails: Iterable[ArrivedMail]) -> None:
        """Decide who reacts to these mails, and when; the draws belong to customer, step and instant."""
        second = self._calendar.second
        once = {
            (self._people.position(mail.customer_id), mail.step, int(second(mail.arrived_at))): mail for mail in mails
        }
        if not once:
            return
        usual, effect = self._baskets.usual_order, self.settings.effect
        pulls = [pull(one.step, one.offer_kind, one.offer_value, usual, effect) for one in once.values()]
        who, step, arrived = (np.array(column, dtype=np.int64) for column in zip(*once, strict=True))
        chance = np.array(pulls) * self._process.responsiveness[who] * self._people.reachable(who, arrived)
        reacts = self._draws.uniform("reacts", who, step, arrived) < chance
        delay = REACTION_DAYS * self._draws.uniform("reaction time", who, step, arrived)
        when = self._calendar.later(np.maximum(arrived, self._second), delay).tolist()
        marks = self._draws.bits("reaction", who, step, arrived).tolist()
        received = list(once.values())
        for place in np.flatnonzero(reacts).tolist():
            self._reactions.append(_Reaction(when[place], int(who[place]), received[place], marks[place]))

    def _run(self, until: int) -> dict[str, Columns]:
        """Let time pass up to `until` and tell what happened."""
        start, self._second = self._second, until
        orders = self._number(self._place(until))
        lines = self._baskets.lines(orders)
        sums = self._baskets.sums(orders, lines)
        self._returns.put(*self._baskets.returns(orders, lines, sums))
        self._answers.put(*self._baskets.answers(orders))
        self._cases.put(*self._desk.cases(orders))
        return {
            "customers": self._people.customers(self._people.changed(start, until), until),
            "orders": self._baskets.orders(orders, sums),
            "order_lines": self._baskets.order_lines(orders, lines),
            "returns": self._returns.take(until),
            "events": self._visits.events((start, until), orders, lines, self._process, self._activity),
            "subscriptions": self._people.subscriptions(start, until),
            "answers": self._answers.take(until),
            "cases": self._cases.take(until),
            "costs": self._costs(start, until),
        }

    def _place(self, until: int) -> Orders:
        """Natural orders and reactions before `until`; reactions reactivate those who had dropped out."""
        end = float(self._calendar.season_days(until))
        found = [self._natural(self._process.run(end))]
        due = sorted((one for one in self._reactions if one.second < until), key=lambda one: (one.second, one.who))
        self._reactions = [one for one in self._reactions if one.second >= until]
        if due:
            found.append(self._reacted(due))
        for batch in _one_each(due):
            who = np.array([one.who for one in batch])
            second = np.array([one.second for one in batch])
            gone = ~self._activity.at(who, second)
            back = who[gone]
            self._activity.note(back, second[gone], active=True)
            self._process.reactivate(back, self._calendar.season_days(second[gone]))
            found.append(self._natural(self._process.run(end, back)))
        return _join_orders(found)

    def _natural(self, bought: Purchases) -> Orders:
        who, nothing = bought.who, np.full(len(bought.who), "", dtype=object)
        second = self._calendar.at_season_days(bought.at)
        self._activity.note(who[bought.last], second[bought.last], active=False)
        mark = self._draws.bits("natural", who, bought.number)
        kind = np.full(len(who), "none", dtype=object)
        return Orders(nothing, who, second, mark, bought.last, nothing, kind, np.zeros(len(who)))

    def _reacted(self, due: list[_Reaction]) -> Orders:
        """The orders of reactions, with the voucher unless it has expired."""
        valid = [
            bool(one.mail.code)
            and (one.mail.expires_at is None or self._calendar.second(one.mail.expires_at) > one.second)
            for one in due
        ]
        pairs = list(zip(due, valid, strict=True))
        return Orders(
            order_id=np.full(len(due), "", dtype=object),
            who=np.array([one.who for one in due]),
            second=np.array([one.second for one in due]),
            mark=np.array([one.mark for one in due], dtype=np.uint64),
            last=np.zeros(len(due), np.bool_),
            code=np.array([one.mail.code if good else "" for one, good in pairs], dtype=object),
            kind=np.array([one.mail.offer_kind if good else "none" for one, good in pairs], dtype=object),
            value=np.array([one.mail.offer_value if good else 0.0 for one, good in pairs]),
        )

    def _number(self, orders: Orders) -> Orders:
        """The orders in order of time, each with its id: the customer and the customer's count of orders."""
        order = np.lexsort((orders.second, orders.who))
        who = orders.who[order]
        first = np.searchsorted(who, who, side="left")
        count = np.empty(len(who), np.int64)
        count[order] = self._orders_of[who] + np.arange(len(who)) - first + 1
        np.add.at(self._orders_of, who, 1)
        ids = [f"O{customer_id(w)[1:]}-{n}" for w, n in zip(orders.who.tolist(), count.tolist(), strict=True)]
        by_time = np.lexsort((orders.who, orders.second))
        columns = (orders.who, orders.second, orders.mark, orders.last, orders.code, orders.kind, orders.value)
        return Orders(np.array(ids, dtype=object)[by_time], *(column[by_time] for column in columns))  # type: ignore[arg-type]

    def _costs(self, start: int, until: int) -> Columns:
        """Rows of `costs`: advertising and service, on each Monday morning of the shop's weeks."""
        money = CURRENCIES[self.settings.currency]
        weeks = list(range(start // (7 * DAY), until // (7 * DAY) + 1))
        seconds = [week * 7 * DAY + 9 * 3600 for week in weeks]
        due = [(week, at) for week, at in zip(weeks, seconds, strict=True) if start <= at < until]
        rows = [(week, at, place) for week, at in due for place in range(len(_SPENT_ON))]
        luck = self._draws.uniform("costs", [week for week, _, _ in rows], [place for _, _, place in rows])
        spent = self.settings.weekly_arrivals * (0.8 + 0.4 * luck)
        return {
            "cost_id": [f"K{week + 1:04d}-{place + 1}" for week, _, place in rows],
            "category": [_SPENT_ON[place][0] for _, _, place in rows],
            "channel": [_SPENT_ON[place][1] for _, _, place in rows],
            "amount": [
                money.text(money.price(round(_SPENT_ON[row[2]][2] * share)))
                for row, share in zip(rows, spent.tolist(), strict=True)
            ],
            "currency": [self.settings.currency] * len(rows),
            "spent_at": self._calendar.text([at for _, at, _ in rows]),
        }


def _join_orders(parts: list[Orders]) -> Orders:
    """All of them, one after the other."""
    names = ("order_id", "who", "second", "mark", "last", "code", "kind", "value")
    return Orders(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _one_each(due: list[_Reaction]) -> list[list[_Reaction]]:
    """Batches of which each holds at most one reaction of a customer, earlier ones first."""
    batches: list[list[_Reaction]] = []
    count: dict[int, int] = {}
    for one in due:
        place = count[one.who] = count.get(one.who, -1) + 1
        if place == len(batches):
            batches.append([])
        batches[place].append(one)
    return batches
