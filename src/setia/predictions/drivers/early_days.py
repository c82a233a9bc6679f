"""What is known of each customer when their first days are over, and whether they stayed after that.

The first days are the day of the first order and those that follow it, `window_days` in all. The time in which somebody
stays or not are the `horizon_days` after them. Only customers are looked at for whom both are over by `as_of`: nobody's
end is open, and everybody is watched for equally long.

Nothing from after the first days tells anything of them. An order counts as it stood on their last day; a device is
somebody's if they alone had signed in on it by then; a case is answered, a message opened if it was so by then. A
second purchase in the first days is something that was done in them; whether somebody stayed is asked of the days after
them alone, of everybody alike. What was done on the day of the first order counts from that order on: a visit must have
begun after it, so that the visit which it was placed in is none.

Staying is a purchase on a day of the horizon, as it stood at its end, or a paid subscription that runs then. Whoever
had a subscription when the first days were over stayed if one still runs, whatever else they bought.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from setia.history.running import paid_rows
from setia.history.sales import customers_orders, month_of
from setia.history.scope import Scope
from setia.metrics.attributes import attribute, first_orders
from setia.metrics.voice import RECOMMENDATION, SATISFACTION, Survey
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

MOST_CUSTOMERS = 300_000
"""Beyond so many, a sample is compared."""
OF_THE_ORDER = ("Order Completed",)
"""Events that say again what orders say, in the words of the Segment specification."""
ANSWERED_WITHIN = 86_400
"""Seconds within which a first answer is a fast one."""
FIRSTS = ("first_product", "first_category", "first_channel", "source")
"""Attributes of `metrics.attributes` that stand when the first order is placed."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EarlyDays:
    """One row per customer, and how many there would be without a sample.

    The rows have `customer_id`, `month` (of the first order), `stayed`, `subscribed`; `FIRSTS`; flags of what was done:
    `bought_again`, `visited`, `used_app`, `messaged`, `opened`, `clicked`, `asked` (a case) with its `asked_about`,
    `answered_fast` and `settled`; `gave_nps` with `promoter` and `detractor`, `gave_csat` with `satisfied`; and
    `event_0`, `event_1` … for the names of `events`. Of several cases the first counts, of several answers the last.
    """

    rows: Any
    events: tuple[str, ...]
    whole: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A snapshot in which orders are seen in another way."""

    facts: Snapshot
    orders: Any

    def table(self, name: str) -> ir.Table:
        """A table as an Ibis expression."""
        return self.orders if name == "orders" else self.facts.table(name)

    def rows(self, table: str) -> int:
        """How many rows a table has in the snapshot."""
        return self.facts.rows(table)

    def arrow(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression."""
        return self.facts.arrow(expression)

    def kept(self, expression: ir.Table) -> ir.Table:
        """The same rows, worked out once."""
        return self.facts.kept(expression)

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for each key and way of seeing orders."""
        return self.facts.remembered((key, self.orders.op()), make)


def early_days(
    facts: Snapshot, scope: Scope, window_days: int, horizon_days: int, *, least: int, most_events: int
) -> EarlyDays:
    """What there is to compare; of events the names that most customers did, `least` of them at least."""
    orders = _orders(facts, scope)
    last = scope.as_of - dt.timedelta(days=window_days + horizon_days)
    early = orders.filter(orders.day <= last)
    days = _bounds(facts, scope, early, window_days, horizon_days)
    firsts = _Seen(facts, _standing_then(early, days))
    found: Any = first_orders(firsts, scope).select("customer_id", "first_day", "placed_at")
    people = found.join(days, found.first_day == days.bound_day).drop("bound_day")
    (counted,) = listed(facts, people.aggregate(n=people.count()))
    people = facts.kept(_sampled(people, counted["n"]))
    own = _FirstDays(facts, scope, people, window_days)
    told = people.select("customer_id", "first_day", month=month_of(people.first_day))
    for name in FIRSTS:
        told = attribute(name).joined(firsts, scope, None, told).rename({name: "group"})
    events, names = own.events(least, most_events)
    purchases = own.purchases(customers_orders(_Seen(facts, orders), scope), horizon_days)
    rows = told.drop("first_day")
    parts = (own.messages(), own.cases(), own.recommendations(), own.satisfaction())
    for part in (purchases, own.subscriptions(), events, *parts):
        rows = _joined(rows, part)
    stayed = rows.subscribed.ifelse(rows.subscribed_later, rows.bought_later | rows.subscribed_later)
    return EarlyDays(
        facts.kept(rows.mutate(stayed=stayed).drop("bought_later", "subscribed_later")), names, counted["n"]
    )


def _orders(facts: Snapshot, scope: Scope) -> Any:
    """Orders before `as_of`, whatever became of them later: that is told by `gone_at`."""
    import ibis

    orders: Any = facts.table("orders")
    orders = orders.filter(orders.day < scope.as_of)
    return orders.mutate(gone_at=orders.cancelled_at, cancelled_at=ibis.null("timestamp('UTC')"))


def _bounds(facts: Snapshot, scope: Scope, orders: Any, window_days: int, horizon_days: int) -> Any:
    """One row per day with an order: the moments in UTC at which the first days after it are over (`closes`), and the
    horizon (`ends`)."""
    import pyarrow as pa

    days = sorted(row["day"] for row in listed(facts, orders.select("day").distinct()))
    moment = pa.timestamp("us", "UTC")

    def after(more: int) -> pa.Array:
        return pa.array([scope.midnight(day + dt.timedelta(days=more)) for day in days], moment)

    columns = {"bound_day": pa.array(days, pa.date32()), "closes": after(window_days)}
    return _small(facts, {**columns, "ends": after(window_days + horizon_days)})


def _small(facts: Snapshot, columns: dict[str, pa.Array]) -> Any:
    """A table of our own that the engine knows."""
    import ibis
    import pyarrow as pa

    table = ibis.memtable(pa.table(columns))
    # Spark keeps nothing that rests on such a table before it has been read once.
    facts.arrow(table)
    return table


def _standing_then(orders: Any, days: Any) -> Any:
    """Orders that were not cancelled within the first days after them: the earliest is a customer's first."""
    known = orders.join(days, orders.day == days.bound_day)
    return known.filter(known.gone_at.isnull() | (known.gone_at >= known.closes)).select(*orders.columns)


@cache
def _md5() -> Any:
    import ibis

    def md5(text: str) -> str:
        """The engine's own function; never called."""
        raise NotImplementedError(text)

    # Ibis reads the types here, where they are no strings.
    md5.__annotations__ = {"text": str, "return": str}
    return ibis.udf.scalar.builtin(md5)


def _sampled(people: Any, whole: int) -> Any:
    """Those whose hashed key is low enough: the same ones whenever and wherever it is asked."""
    import ibis

    if whole <= MOST_CUSTOMERS:
        return people
    highest = format(MOST_CUSTOMERS * 16**8 // whole, "08x")
    return people.filter(_md5()(ibis.literal("drivers:") + people.customer_id) < highest)


def _joined(rows: Any, part: Any) -> Any:
    """The rows with the columns of a part; flags are off for customers that it does not have."""
    found = rows.left_join(part, rows.customer_id == part.who)
    kinds = part.schema()
    more = {
        name: found[name].fill_null(False) if kinds[name].is_boolean() else found[name]
        for name in part.columns
        if name != "who"
    }
    return found.select(*rows.columns, **more)


class _FirstDays:
    """What customers did in their first days, from their first order on: a table for each kind, with `who` did it."""

    def __init__(self, facts: Snapshot, scope: Scope, people: Any, window_days: int) -> None:
        self._facts = facts
        self._scope = scope
        self._people = people.select("first_day", "closes", "ends", who="customer_id", first_at="placed_at")
        self._window = window_days

    def _during(self, rows: Any, at: str) -> Any:
        """Rows of the first days, after the first order, with whose they are."""
        known = rows.join(self._people, rows.customer_id == self._people.who)
        return known.filter(known[at] > known.first_at, _age(known) < self._window)

    def purchases(self, orders: Any, horizon_days: int) -> Any:
        """`bought_again` on another day of the first ones, `bought_later` in the horizon."""
        known = orders.join(self._people, orders.customer_id == self._people.who)
        age = _age(known)
        stood, stands = (known.gone_at.isnull() | (known.gone_at >= known[end]) for end in ("closes", "ends"))
        return known.group_by("who").aggregate(
            bought_again=((age > 0) & (age < self._window) & stood).any(),
            bought_later=((age >= self._window) & (age < self._window + horizon_days) & stands).any(),
        )

    def subscriptions(self) -> Any:
        """`subscribed` when the first days are over, `subscribed_later` when the horizon is; free plans are none."""
        paid: Any = paid_rows(self._facts, self._scope)
        known = paid.join(self._people, paid.customer_id == self._people.who)
        known = known.filter((known.monthly > 0).fill_null(True))

        def running(at: Any) -> Any:
            return (known.paid_from < at) & (known.ended_at.isnull() | (known.ended_at >= at))

        return known.group_by("who").aggregate(
            subscribed=running(known.closes).any(), subscribed_later=running(known.ends).any()
        )

    def events(self, least: int, most: int) -> tuple[Any, tuple[str, ...]]:
        """`visited`, `used_app`, and whether events of the commonest names were done; and these names."""
        import ibis

        done = self._facts.kept(self._done())
        own = ibis.window(group_by="who", order_by="at")
        before = ibis.coalesce(done.at.lag().over(own), done.first_at)
        pause = self._scope.choices.visit_ends_after_minutes * 60
        steps = done.mutate(begins=done.at.epoch_seconds() - before.epoch_seconds() > pause)
        names = _commonest(self._facts, done, least, most)
        numbers = numbered(self._facts, names)
        steps = steps.left_join(numbers, steps.name == numbers.known)
        flags = {f"event_{number}": (steps.number == number).fill_null(False).any() for number in range(len(names))}
        used_app = (steps.platform == "app").fill_null(False).any()
        return steps.group_by("who").aggregate(visited=steps.begins.any(), used_app=used_app, **flags), names

    def _done(self) -> Any:
        """Events of the first days. One without a name is theirs who alone had signed in on its device by then: a
        sign-in that comes later would show of those alone who stayed."""
        import ibis

        events: Any = self._facts.table("events")
        signed = events.filter(events.customer_id.notnull(), events.visitor.notnull())
        seen = signed.group_by("visitor", "customer_id").aggregate(since=signed.day.min())
        own = ibis.window(group_by="visitor", order_by=["since", "customer_id"])
        seen = seen.mutate(place=ibis.row_number().over(own), other_since=seen.since.lead().over(own))
        alone = seen.filter(seen.place == 0).select("since", "other_since", device="visitor", owner="customer_id")
        nameless = events.filter(events.customer_id.isnull(), events.visitor.notnull()).drop("customer_id")
        nameless = nameless.join(alone, nameless.visitor == alone.device).rename(customer_id="owner")
        nameless = self._during(nameless, "occurred_at")
        others = nameless.other_since.isnull() | (_age(nameless, "other_since") >= self._window)
        nameless = nameless.filter(_age(nameless, "since") < self._window, others)
        named = self._during(events.filter(events.customer_id.notnull()), "occurred_at")
        columns = {"who": "who", "name": "name", "at": "occurred_at", "platform": "platform", "first_at": "first_at"}
        return named.select(**columns).union(nameless.select(**columns))

    def messages(self) -> Any:
        """`messaged` in the first days; of those messages one `opened` or `clicked` by their end."""
        sent: Any = self._facts.table("messages")
        sent = self._during(sent.filter(sent.state != "rejected"), "sent_at")
        clicked = (sent.clicked_at < sent.closes).fill_null(False)
        opened = (sent.opened_at < sent.closes).fill_null(False) | clicked
        return sent.group_by("who").aggregate(messaged=sent.count() > 0, opened=opened.any(), clicked=clicked.any())

    def cases(self) -> Any:
        """`asked` a question or complained; what the first case was about, and how far it had come by the end."""
        import ibis

        cases: Any = self._during(self._facts.table("cases"), "opened_at")
        waited = cases.first_response_at.epoch_seconds() - cases.opened_at.epoch_seconds()
        fast = (cases.first_response_at < cases.closes) & (waited <= ANSWERED_WITHIN)
        told = ibis.struct({
            "at": cases.opened_at, "id": cases.case_id, "about": cases.reason.fill_null(""),
            "fast": fast.fill_null(False), "settled": (cases.resolved_at < cases.closes).fill_null(False),
        })  # fmt: skip
        first = cases.group_by("who").aggregate(case=told.min())
        case = first.case
        about = {"asked_about": case["about"].nullif(""), "answered_fast": case["fast"], "settled": case["settled"]}
        return first.select("who", asked=case["at"].notnull(), **about)

    def recommendations(self) -> Any:
        """`gave_nps`, an answer from 0 to 10, and whether it is that of a `promoter` or a `detractor`."""
        last = self._last_answer(RECOMMENDATION)
        score = last.said["score"]
        return last.select("who", gave_nps=score.notnull(), promoter=score >= 9, detractor=score <= 6)

    def satisfaction(self) -> Any:
        """`gave_csat`, and whether they are `satisfied`: four fifths of the scale or more."""
        last = self._last_answer(SATISFACTION)
        score = last.said["score"]
        return last.select("who", gave_csat=score.notnull(), satisfied=score * 5 >= last.said["out_of"] * 4)

    def _last_answer(self, survey: Survey) -> Any:
        import ibis

        given = self._during(survey.valid(self._facts, self._scope), "answered_at")
        told = {"at": given.answered_at, "id": given.answer_id, "score": given.score, "out_of": given.out_of}
        return given.group_by("who").aggregate(said=ibis.struct(told).max())


def _age(rows: Any, day: str = "day") -> Any:
    """Days from the first order to another day."""
    return rows[day].delta(rows.first_day, unit="day")


def _commonest(facts: Snapshot, done: Any, least: int, most: int) -> tuple[str, ...]:
    """The names of events that most customers did."""
    import ibis

    counted = done.group_by("name").aggregate(customers=done.who.nunique())
    counted = counted.filter(counted.customers >= least, counted.name.notin(OF_THE_ORDER))
    best = counted.order_by(ibis.desc("customers"), "name").limit(most)
    return tuple(row["name"] for row in listed(facts, best))


def numbered(facts: Snapshot, texts: Sequence[str]) -> Any:
    """One row per text, which is `known`, with its `number` from 0: texts of a shop are never part of a query."""
    import pyarrow as pa

    known = pa.array(texts, pa.string())
    return _small(facts, {"known": known, "number": pa.array(range(len(texts)), pa.int64())})
