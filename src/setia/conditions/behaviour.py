"""What somebody did, as a condition asks it: counts, sums, firsts and lasts of events and orders.

Every question becomes one column beside the traits. All questions about events are answered in one pass over them, all
about orders in another, however many segments ask.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from setia.history.lines import bought_lines
from setia.history.sales import days_old, priced_orders
from setia.history.scope import Scope
from setia.history.visits import seen_events

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Source:
    """Happenings that can be asked for."""

    rows: Callable[[Snapshot, Scope], Any]
    """One row per happening before `as_of`: `customer_id`, `day`, and the columns that conditions may read."""
    columns: Mapping[str, str]
    """These columns with their kinds."""


SOURCES = {
    "events": Source(
        seen_events,
        {"product_id": "text", "device": "text", "platform": "text", "day": "day", "properties": "text"},
    ),
    "orders": Source(
        priced_orders,
        {"total": "number", "discount": "number", "code": "text", "channel": "text", "country": "text", "day": "day"},
    ),
    "lines": Source(
        bought_lines,
        {"product_id": "text", "category": "text", "quantity": "number", "amount": "number", "day": "day"},
    ),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the condition language that asks for happenings."""

    source: str
    kind: str
    """Of its value: number or flag."""
    names: int
    """How many events it names, first of all."""
    days: str
    """Whether a number of days follows: `no`, `may` or `must`."""
    meaning: str
    of: Callable[[Any, Any, Scope], Any]
    """From the rows, the mark of those that count, and the scope to an aggregate."""
    otherwise: int | bool | None = None
    """For customers without any such row."""


def _count(rows: Any, counts: Any, _scope: Scope) -> Any:
    return rows.count(where=counts)


def _count_documents(rows: Any, counts: Any, _scope: Scope) -> Any:
    return rows.document_id.nunique(where=counts)


def _sum_of(column: str) -> Callable[[Any, Any, Scope], Any]:
    return lambda rows, counts, _scope: rows[column].sum(where=counts).fill_null(0).cast("float64")


def _since_last(rows: Any, counts: Any, scope: Scope) -> Any:
    return days_old(scope, rows.day.max(where=counts))


def _since_first(rows: Any, counts: Any, scope: Scope) -> Any:
    return days_old(scope, rows.day.min(where=counts))


def _any(_rows: Any, counts: Any, _scope: Scope) -> Any:
    return counts.any()


FUNCTIONS: dict[str, Function] = {
    "count_events": Function("events", "number", 1, "may", "how often the event happened", _count, 0),
    "days_since_event": Function("events", "number", 1, "no", "days since it last happened", _since_last),
    "days_since_first_event": Function("events", "number", 1, "no", "days since it first happened", _since_first),
    "not_followed": Function(
        "events", "flag", 2, "must",
        "whether the first event happened and the second did not within so many days after it", _any, False,
    ),
    "count_orders": Function("orders", "number", 0, "may", "number of orders", _count, 0),
    "sum_orders": Function("orders", "number", 0, "may", "what orders came to, before returns", _sum_of("total"), 0),
    "days_since_order": Function("orders", "number", 0, "no", "days since the last such order", _since_last),
    "days_since_first_order_with": Function(
        "orders", "number", 0, "no", "days since the first such order", _since_first
    ),
    "count_orders_of": Function(
        "lines", "number", 0, "may", "number of orders with such a product in them", _count_documents, 0
    ),
    "sum_products": Function(
        "lines", "number", 0, "may", "what such products came to, before returns", _sum_of("amount"), 0
    ),
    "days_since_product": Function(
        "lines", "number", 0, "no", "days since such a product was last bought", _since_last
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One question: a function with its arguments."""

    function: str
    text: str
    """The call in one way of writing: two that read alike are one question."""
    names: tuple[str, ...] = ()
    days: int | None = None
    where: Callable[[Any, Scope], Any] | None = field(default=None, compare=False)
    """From the rows to the mark of those that the call's own condition lets count."""

    @property
    def column(self) -> str:
        """The name of its column beside the traits."""
        return "behaviour_" + hashlib.blake2b(self.text.encode(), digest_size=8).hexdigest()


def with_behaviour(facts: Snapshot, scope: Scope, traits: Any, asked: Collection[Behaviour]) -> Any:
    """The rows of traits with a column for each question."""
    found = traits
    for name, source in SOURCES.items():
        own = [each for each in asked if FUNCTIONS[each.function].source == name]
        if not own:
            continue
        rows: Any = source.rows(facts, scope)
        rows = rows.filter(rows.customer_id.notnull())
        if name == "events":
            rows = _of_these_names(rows, own)
        answers = rows.group_by("customer_id").aggregate(**{each.column: _answer(rows, each, scope) for each in own})
        found = found.left_join(answers, "customer_id").drop("customer_id_right")
        defaults = {each.column: FUNCTIONS[each.function].otherwise for each in own}
        found = found.mutate(
            **{column: found[column].fill_null(value) for column, value in defaults.items() if value is not None}
        )
    return found


def _answer(rows: Any, asked: Behaviour, scope: Scope) -> Any:
    import ibis

    function = FUNCTIONS[asked.function]
    counts: Any = ibis.literal(True)
    if function.names:
        counts = rows.name == asked.names[0]
    if asked.where is not None:
        counts = counts & asked.where(rows, scope)
    if asked.days is not None:
        if function.names == 2:
            counts = counts & _left_alone(rows, asked, scope)
        else:
            counts = counts & (days_old(scope, rows.day) < asked.days)
    return function.of(rows, counts.fill_null(False), scope)


def _left_alone(rows: Any, asked: Behaviour, scope: Scope) -> Any:
    """Whether the days after a row are over and saw nothing of the second name."""
    assert asked.days is not None
    seconds = asked.days * 86_400
    at = rows.occurred_at.epoch_seconds()
    over = at + seconds <= int(scope.until.timestamp())
    return over & (rows[_next(asked)].isnull() | (rows[_next(asked)] > at + seconds))


def _next(asked: Behaviour) -> str:
    return f"{asked.column}_next"


def _of_these_names(rows: Any, asked: Collection[Behaviour]) -> Any:
    """The events that are asked for, each with the moment of the next one of every name that is to follow."""
    import ibis

    rows = rows.filter(rows.name.isin(sorted({name for each in asked for name in each.names})))
    ahead = ibis.window(group_by="customer_id", order_by=["occurred_at", "event_id"], rows=(1, None))
    following = {
        _next(each): (rows.name == each.names[1]).ifelse(rows.occurred_at.epoch_seconds(), None).min().over(ahead)
        for each in asked
        if FUNCTIONS[each.function].names == 2
    }
    return rows.mutate(**following)
