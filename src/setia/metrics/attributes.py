"""What figures can be broken down by: attributes of a customer as they stood at the first order, or of the person.

A figure is never broken down by what happened later: somebody who first bought on the web and came back in the app
stays with the web, or the return would be lost to both.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from setia.history.sales import customers_orders, month_of
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    from setia.history.windows import Spans
    from setia.warehouse.snapshot import Snapshot


class UnknownAttribute(SetiaError):
    """Figures cannot be broken down by {name}.{near} Choose one of {choices}."""

    code = "metrics.unknown_attribute"


class By(Protocol):
    """Something that puts each customer into a group."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def title(self) -> str:
        """Its title, an English sentence to be translated."""

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:
        """Rows that have a `customer_id`, with their `group`: text, null where it is not known."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of each customer that never changes over windows: the declaration."""

    name: str
    title: str
    of: Callable[[Snapshot, Scope], Any]
    """One row per customer: `customer_id`, `group`."""

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:  # noqa: ARG002
        """The rows with their `group`."""
        groups = self.of(facts, scope).select(grouped_id="customer_id", group="group")
        found = rows.left_join(groups, rows.customer_id == groups.grouped_id)
        return found.select(*rows.columns, "group")


def _first_orders(facts: Snapshot, scope: Scope) -> Any:
    """The first orders: each customer's at the first moment of all, mostly one."""
    orders: Any = customers_orders(facts, scope)
    first = orders.group_by(first_id=orders.customer_id).aggregate(first_at=orders.placed_at.min())
    own = (orders.customer_id == first.first_id) & (orders.placed_at == first.first_at)
    return orders.join(first, own).select(*orders.columns)


def _of_first_order(column: str) -> Callable[[Snapshot, Scope], Any]:
    def of(facts: Snapshot, scope: Scope) -> Any:
        orders = _first_orders(facts, scope)
        # Where several orders came at one moment, the first by alphabet: the same on every engine.
        return orders.group_by("customer_id").aggregate(group=orders[column].min())

    return of


def _first_voucher(facts: Snapshot, scope: Scope) -> Any:
    orders = _first_orders(facts, scope)
    marked = orders.mutate(used=orders.code.notnull())
    found = marked.group_by("customer_id").aggregate(used=marked.used.any())
    return found.select("customer_id", group=found.used.ifelse("with", "without"))


def _first_month(facts: Snapshot, scope: Scope) -> Any:
    orders: Any = customers_orders(facts, scope)
    found = orders.group_by("customer_id").aggregate(first=orders.day.min())
    return found.select("customer_id", group=month_of(found.first).cast("string").substr(0, 7))


def _first_line(what: str) -> Callable[[Snapshot, Scope], Any]:
    """What most was paid for in the first order: its product or category."""

    def of(facts: Snapshot, scope: Scope) -> Any:
        import ibis

        orders = _first_orders(facts, scope).select("customer_id", "document_id")
        lines: Any = facts.table("order_lines")
        products: Any = facts.table("products")
        products = products.select("name", "category", known_id="product_id")
        lines = lines.select("document_id", "product_id", "amount").join(orders, "document_id")
        named = lines.left_join(products, lines.product_id == products.known_id)
        group = named.category if what == "category" else ibis.coalesce(named.name, named.product_id)
        paid = named.group_by("customer_id", group=group).aggregate(paid=named.amount.sum())
        own = ibis.window(group_by="customer_id", order_by=[ibis.desc(paid.paid), paid.group])
        ranked = paid.mutate(place=ibis.row_number().over(own))
        return ranked.filter(ranked.place == 0).select("customer_id", "group")

    return of


def _of_person(column: str) -> Callable[[Snapshot, Scope], Any]:
    def of(facts: Snapshot, _scope: Scope) -> Any:
        people: Any = facts.table("customers")
        return people.select("customer_id", group=people[column])

    return of


def _age_group(facts: Snapshot, scope: Scope) -> Any:
    """The age at the first order, in tens of years; birth years before 1900 are nobody's."""
    people: Any = facts.table("customers")
    orders: Any = customers_orders(facts, scope)
    first = orders.group_by(first_id=orders.customer_id).aggregate(first=orders.day.min())
    known = people.join(first, people.customer_id == first.first_id)
    had = known.birth_date.month() * 100 + known.birth_date.day() <= known.first.month() * 100 + known.first.day()
    years = (known.first.year() - known.birth_date.year() - had.ifelse(0, 1)).cast("int64")
    ten = (years // 10 * 10).cast("int64")
    group = ten.cast("string") + "–" + (ten + 9).cast("string")
    return known.select("customer_id", group=((years >= 0) & (years < 120)).ifelse(group, None))


ATTRIBUTES: dict[str, Attribute] = {
    each.name: each
    for each in (
        Attribute("first_channel", N_("Channel of the first order"), _of_first_order("channel")),
        Attribute("first_country", N_("Country of the first order"), _of_first_order("country")),
        Attribute("first_voucher", N_("First order with or without a voucher"), _first_voucher),
        Attribute("first_month", N_("Month of the first order"), _first_month),
        Attribute("first_product", N_("Product that most was paid for in the first order"), _first_line("product")),
        Attribute("first_category", N_("Category that most was paid for in the first order"), _first_line("category")),
        Attribute("source", N_("How the customer was won"), _of_person("source")),
        Attribute("country", N_("Country"), _of_person("country")),
        Attribute("city", N_("Town"), _of_person("city")),
        Attribute("language", N_("Language"), _of_person("language")),
        Attribute("gender", N_("Gender"), _of_person("gender")),
        Attribute("age_group", N_("Age at the first order"), _age_group),
    )
}


def attribute(by: str | By, more: tuple[str, ...] = ()) -> By:
    """An attribute by name; whatever is one already stays. Raises UnknownAttribute."""
    if not isinstance(by, str):
        return by
    if by not in ATTRIBUTES:
        raise unknown_attribute(by, (*more, *ATTRIBUTES))
    return ATTRIBUTES[by]


def unknown_attribute(name: str, choices: Sequence[str]) -> UnknownAttribute:
    """The error, with the name that may have been meant."""
    close = difflib.get_close_matches(name, choices, n=1)
    near = f" Did you mean {close[0]}?" if close else ""
    return UnknownAttribute(name=name, near=near, choices=", ".join(choices))
