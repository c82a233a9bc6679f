"""What figures can be broken down by: attributes of a customer as they stood at the first order, or of the person.

A figure is never broken down by what happened later: somebody who first bought on the web and came back in the app
stays with the web, or the return would be lost to both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from setia.history.sales import customers_orders, first_days, month_of
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.kernel.near import nearest

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

    @property
    def needs_windows(self) -> bool:
        """Whether it says who is in which group when a window begins, and nothing where there is none."""

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:
        """Rows that have a `customer_id`, with their `group`: text, null where it is not known."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of each customer that never changes over windows: the declaration."""

    name: str
    title: str
    of: Callable[[Snapshot, Scope], Any]
    """One row per customer: `customer_id`, `group`."""
    needs_windows: ClassVar[bool] = False

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:  # noqa: ARG002
        """The rows with their `group`."""
        return _met(rows, self.of(facts, scope).select(grouped_id="customer_id", group="group"))


TOLD = ("channel", "country", "code")
"""What an order says that may be asked of the first one."""


def with_first_order(facts: Snapshot, scope: Scope, people: Any) -> Any:
    """People who have a `customer_id` and a `first_day`, one row each, with `placed_at` and what the first order told.

    Of several orders at one moment it is the one that comes first by alphabet, by channel, country and code in turn: the
    same on every engine.
    """
    import ibis

    orders: Any = customers_orders(facts, scope)
    told = {name: orders[name].fill_null("") for name in TOLD}
    rows = orders.select(who="customer_id", on="day", told=ibis.struct({"placed_at": orders.placed_at, **told}))
    joined = people.join(rows, [people.customer_id == rows.who, people.first_day == rows.on])
    found = joined.group_by(people.columns).aggregate(first=joined.told.min())
    more = {name: found.first[name].nullif("") for name in TOLD}
    return facts.kept(found.select(*people.columns, placed_at=found.first["placed_at"], **more))


def first_orders(facts: Snapshot, scope: Scope) -> Any:
    """One row per customer with the first order: `first_day`, `placed_at`, `channel`, `country`, `code`."""
    return with_first_order(facts, scope, facts.kept(first_days(facts, scope)))


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """An attribute of each customer's first order."""

    name: str
    title: str
    group: Callable[[Any], Any]
    """From the columns of `with_first_order` to the group."""
    needs_windows: ClassVar[bool] = False

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:  # noqa: ARG002
        """The rows with their `group`; rows that are customers and know their `first_day` are met there."""
        if "first_day" in rows.columns:
            known = with_first_order(facts, scope, rows)
            return known.select(*rows.columns, group=self.group(known))
        firsts = first_orders(facts, scope)
        return _met(rows, firsts.select(grouped_id="customer_id", group=self.group(firsts)))


def _met(rows: Any, groups: Any) -> Any:
    found = rows.left_join(groups, rows.customer_id == groups.grouped_id)
    return found.select(*rows.columns, "group")


def _voucher(firsts: Any) -> Any:
    return firsts.code.notnull().ifelse("with", "without")


def _month(firsts: Any) -> Any:
    return month_of(firsts.first_day).cast("string").substr(0, 7)


def _first_line(what: str) -> Callable[[Snapshot, Scope], Any]:
    """What most was paid for in the first order: its product or category."""

    def of(facts: Snapshot, scope: Scope) -> Any:
        import ibis

        firsts = first_orders(facts, scope).select(first_id="customer_id", first_at="placed_at")
        orders: Any = customers_orders(facts, scope)
        own = (orders.customer_id == firsts.first_id) & (orders.placed_at == firsts.first_at)
        orders = orders.join(firsts, own).select("customer_id", "document_id")
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
    """The age at the first order, in tens of years; nobody is younger than 0 or older than 119."""
    people: Any = facts.table("customers")
    first = first_orders(facts, scope).select(first_id="customer_id", first="first_day")
    known = people.join(first, people.customer_id == first.first_id)
    had = known.birth_date.month() * 100 + known.birth_date.day() <= known.first.month() * 100 + known.first.day()
    years = (known.first.year() - known.birth_date.year() - had.ifelse(0, 1)).cast("int64")
    ten = (years // 10 * 10).cast("int64")
    group = ten.cast("string") + "–" + (ten + 9).cast("string")
    return known.select("customer_id", group=((years >= 0) & (years < 120)).ifelse(group, None))


ATTRIBUTES: dict[str, Attribute | FirstOrder] = {
    each.name: each
    for each in (
        FirstOrder("first_channel", N_("Channel of the first order"), lambda firsts: firsts.channel),
        FirstOrder("first_country", N_("Country of the first order"), lambda firsts: firsts.country),
        FirstOrder("first_voucher", N_("First order with or without a voucher"), _voucher),
        FirstOrder("first_month", N_("Month of the first order"), _month),
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
    meant = nearest(name, choices)
    near = f" Did you mean {meant}?" if meant else ""
    return UnknownAttribute(name=name, near=near, choices=", ".join(choices))
