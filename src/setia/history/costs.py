"""What was spent on customers: costs from files, and what the programmes spent on messages and offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.exchange import in_own_currency
from setia.history.sales import written_orders
from setia.history.scope import Scope

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

COLUMNS = ("cost_id", "category", "programme", "channel", "customer_id", "amount", "currency", "day")


def costs_before(facts: Snapshot, scope: Scope) -> Any:
    """Costs before `as_of`: `cost_id`, `category`, `programme`, `channel`, `customer_id`, `day`, `amount` in the shop's
    currency, and `purpose`: winning, keeping or other.

    A programme's messages cost what they cost to send (category `messages`); a voucher that one of them carried costs,
    on the day it is used after that, the part of the order's discount that the shop bears, or what the message says (in
    the shop's currency) where the order names no discount (category `rewards`).
    """
    import ibis

    told: Any = facts.table("costs")
    rows = told.select(*COLUMNS).union(_messages(facts)).union(_vouchers(facts, scope))
    rows = in_own_currency(facts, scope, rows.filter(rows.day < scope.as_of), "amount")
    keeps = rows.programme.notnull() | rows.category.isin(scope.choices.keeping_costs)
    wins = rows.category.isin(scope.choices.winning_costs)
    purpose = ibis.cases((keeps, "keeping"), (wins, "winning"), else_="other")
    return rows.select("cost_id", "category", "programme", "channel", "customer_id", "day", "amount", purpose=purpose)


def _messages(facts: Snapshot) -> Any:
    import ibis

    sent: Any = facts.table("messages")
    sent = sent.filter(sent.cost > 0, sent.state != "rejected")
    return sent.select(
        "programme", "channel", "customer_id", "day",
        cost_id=ibis.literal("message:") + sent.message_id, category=ibis.literal("messages"),
        amount=sent.cost, currency=ibis.null("string"),
    ).select(*COLUMNS)  # fmt: skip


def _vouchers(facts: Snapshot, scope: Scope) -> Any:
    import ibis

    sent: Any = facts.table("messages")
    sent = sent.filter(sent.day < scope.as_of, sent.state != "rejected")
    carried = sent.filter(sent.code.notnull(), sent.programme.notnull())
    carried = carried.group_by("code").aggregate(
        programme=carried.programme.min(), channel=carried.channel.min(), offer_cost=carried.offer_cost.max(),
        carried_at=carried.sent_at.min(),
    )  # fmt: skip
    orders: Any = written_orders(facts, scope)
    orders = orders.filter(orders.code.notnull())
    used = orders.join(carried, [orders.code == carried.code, orders.placed_at >= carried.carried_at])
    borne = (used.discount.fill_null(0) - used.platform_discount.fill_null(0)).cast("decimal(18, 4)")
    said = borne > 0
    used = used.filter(said | used.offer_cost.notnull())
    return used.select(
        "programme", "customer_id", "day", currency=said.ifelse(used.currency, None),
        channel=used.channel_right, cost_id=ibis.literal("voucher:") + used.document_id,
        category=ibis.literal("rewards"), amount=said.ifelse(borne, used.offer_cost),
    ).select(*COLUMNS)  # fmt: skip
