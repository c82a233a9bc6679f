"""Messages: what becomes of them, and who can be written to at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.consent import CHANNELS, reachable_on
from setia.history.people import people_before
from setia.history.sales import customers_orders
from setia.history.scope import Scope
from setia.history.windows import Spans
from setia.kernel.i18n import N_
from setia.metrics.answer import Answer, as_table
from setia.metrics.attributes import By, attribute
from setia.metrics.measure import Measure
from setia.metrics.metric import Listing, Part, share
from setia.metrics.populations import RECIPIENTS
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

OWN = ("channel", "programme")
REACTION_DAYS = 7


def messages(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per message handed over in each window, and what became of it within `REACTION_DAYS`.

    Not every tool tells everything: `tracked` are messages of a channel and programme of which some delivery is known,
    and `arrived` those of them that did; where openings are told but no deliveries, all count as `delivered`. `followed`
    are delivered ones of which some opening or click is known.
    """
    sent = _marked(facts, scope)
    told = sent.group_by("of").aggregate(
        tells_delivery=sent.arrived.any(), tells_opening=(sent.opened | sent.clicked).any()
    )
    rows: Any = spans.during(sent)
    rows = rows.join(told, "of")
    # Whoever opened or answered a message has got it, whether or not the channel said so.
    reacted = rows.opened | rows.clicked | rows.unsubscribed | rows.complained
    arrived = rows.tells_delivery & (rows.arrived | reacted)
    delivered = rows.tells_delivery.ifelse(arrived, rows.tells_opening)
    return rows.select(
        "window",
        "customer_id",
        *OWN,
        messages=True,
        tracked=rows.tells_delivery,
        arrived=arrived,
        delivered=delivered,
        followed=delivered & rows.tells_opening,
        opened=delivered & (rows.opened | rows.clicked),
        clicked=delivered & rows.clicked,
        unsubscribed=delivered & rows.unsubscribed,
        complained=delivered & rows.complained,
    )


def _marked(facts: Snapshot, scope: Scope) -> Any:
    """Messages handed over before `as_of`, which of their times came in time, and the channel and programme in one."""
    import ibis

    sent: Any = facts.table("messages")
    sent = sent.filter(sent.state != "rejected", sent.day < scope.as_of)
    until = ibis.literal(scope.until, type="timestamp('UTC')")

    def in_time(column: str) -> Any:
        waited = sent[column].epoch_seconds() - sent.sent_at.epoch_seconds()
        return ((sent[column] < until) & (waited < REACTION_DAYS * 86_400)).fill_null(False)

    times = {"arrived": "delivered_at", "opened": "opened_at", "clicked": "clicked_at",
             "unsubscribed": "unsubscribed_at", "complained": "complained_at"}  # fmt: skip
    of = sent.channel.fill_null("") + "/" + sent.programme.fill_null("")
    return sent.select("customer_id", "day", *OWN, of=of, **{name: in_time(column) for name, column in times.items()})


def _rate(name: str, title: str, formula: str, part: str, of: str, better: Any, title_of_part: str) -> Measure:
    parts = (
        Part("messages", N_("Messages")),
        *([Part("tracked", N_("Of those, with a word on deliveries"))] if of == "tracked" else []),
        *([Part("delivered", N_("Delivered"))] if of != "tracked" else []),
        *([Part("followed", N_("Of those, with a word on openings"))] if of == "followed" else []),
        Part(part, title_of_part),
    )
    return Measure(
        name=name,
        title=title,
        formula=formula,
        unit="share",
        population=RECIPIENTS,
        better=better,
        source="Field's standard; what happens later than a week after the message is left out",
        needs=("messages",),
        check="messages",
        rows=messages,
        parts=tuple({each.name: each for each in parts}.values()),
        formula_of=share(part, of, "not_tracked"),
        window_days=30,
        follow_up=lambda _scope: REACTION_DAYS,
        own=OWN,
    )


DELIVERY_RATE = _rate(
    "delivery_rate", N_("Delivery rate"), N_("Messages that arrived ÷ messages of channels and programmes that tell of deliveries"),
    "arrived", "tracked", "higher", N_("Of those, arrived"),
)  # fmt: skip
OPEN_RATE = _rate(
    "open_rate", N_("Open rate"), N_("Messages opened or clicked ÷ messages delivered where openings are told"),
    "opened", "followed", "higher", N_("Opened"),
)  # fmt: skip
CLICK_RATE = _rate(
    "click_rate", N_("Click rate"), N_("Messages with a click ÷ messages delivered where openings are told"),
    "clicked", "followed", "higher", N_("Clicked"),
)  # fmt: skip
UNSUBSCRIBE_RATE = _rate(
    "unsubscribe_rate", N_("Opt-out rate"), N_("Messages after which the person asked for no more ÷ messages delivered"),
    "unsubscribed", "delivered", "lower", N_("Opted out"),
)  # fmt: skip
COMPLAINT_RATE = _rate(
    "complaint_rate", N_("Complaint rate"), N_("Messages reported as unwanted ÷ messages delivered"),
    "complained", "delivered", "lower", N_("Reported as unwanted"),
)  # fmt: skip


def reachable(facts: Snapshot, scope: Scope, *, by: str | By | None = None) -> Answer:
    """Customers who may be written to: an address or number, consent to marketing, and no word to stop.

    `table`: one row per channel (and `group`): `channel`, `customers`, `reachable`, `share`; the channel `any` holds
    who can be reached on one at least. The headline is that of `any`.
    """
    orders: Any = customers_orders(facts, scope)
    people = people_before(facts, scope).select("customer_id").union(orders.select("customer_id")).distinct()
    for channel in CHANNELS:
        on: Any = reachable_on(facts, channel, scope.until).select(reached_id="customer_id")
        joined = people.left_join(on, people.customer_id == on.reached_id)
        people = joined.select(*people.columns, **{channel: joined.reached_id.notnull()})
    people = people.mutate(any=people[CHANNELS[0]] | people[CHANNELS[1]] | people[CHANNELS[2]])
    keys = []
    if by is not None:
        people = attribute(by).joined(facts, scope, None, people)
        keys = ["group"]
    names = ("any", *CHANNELS)
    sums = {name: people.count(where=people[name]) for name in names}
    counted = people.group_by(keys).aggregate(customers=people.count(), **sums) if keys else people.aggregate(
        customers=people.count(), **sums
    )  # fmt: skip
    found = sorted(listed(facts, counted), key=lambda row: (row.get("group") is None, str(row.get("group"))))
    rows = [
        {
            "channel": name,
            "group": row.get("group"),
            "customers": row["customers"],
            "reachable": row[name],
            "share": row[name] / row["customers"] if row["customers"] else None,
        }
        for row in found
        for name in names
    ]
    customers, one = sum(row["customers"] for row in found), sum(row["any"] for row in found)
    figures = {"value": one / customers if customers else None, "customers": customers, "reachable": one}
    columns = ("channel", "customers", "reachable", "share")
    return Answer(
        "reachable", scope, figures, as_table(rows, columns if by is None else ("group", *columns)),
        None if customers else "no_customers",
    )  # fmt: skip


REACHABLE = Listing(
    name="reachable",
    title=N_("Customers who can be reached"),
    formula=N_(
        "Customers with an address or number who agreed to marketing on the channel and did not opt out ÷ all customers"
    ),
    unit="share",
    population=N_("All customers, those without an order included"),
    better="higher",
    source="The last decision on record of each address and channel",
    needs=("customers",),
    answers=reachable,
)
WRITING = (DELIVERY_RATE, OPEN_RATE, CLICK_RATE, UNSUBSCRIBE_RATE, COMPLAINT_RATE, REACHABLE)
