"""From the rows of an export, one order line each, to facts: orders, their lines, returns, customers and products.

Every format brings its rows into the columns below; what they mean is said here once. What stands for the whole order
may be repeated on each of its lines or stand on its first line only.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from setia.facts import FACTS
from setia.warehouse.duck import literal

ORDER_COLUMNS = {
    "number": "The order's number",
    "document": "What an import replaces as a whole, where that is more than the order",
    "placed_at": "When it was placed",
    "customer_key": "Who bought, as the system keys people; null: an anonymous guest",
    "email": "E-mail address",
    "phone": "Telephone number",
    "name": "How to address the buyer",
    "city": "Town",
    "country": "Country",
    "language": "Language of messages",
    "currency": "ISO 4217 code",
    "order_total": "What the buyer pays, shipping and tax included, discounts off; else it is made of the lines",
    "order_discount": "The seller's discount on the whole order that the lines do not contain",
    "platform_discount": "What the marketplace pays of the order; the shop gets it, so it adds to the total",
    "shipping": "Shipping the buyer pays, within `order_total`",
    "tax": "Tax within `order_total`",
    "added_tax": "Tax that the amounts of the lines do not contain",
    "code": "Voucher code",
    "channel": "Where the order came from",
    "paid_at": "When it was paid",
    "cancelled_at": "When it was cancelled",
    "undelivered_at": "When a parcel, mostly to be paid on delivery, was given up; it is cancelled then too",
    "is_test": "A trial",
    "is_staff": "Bought by the shop's own people",
    "refunded": "Money given back on the order, beyond what its lines say",
    "refunded_at": "When",
}
LINE_COLUMNS = {
    "line": "Number of the line within its order",
    "product_id": "The product",
    "product_name": "Its name",
    "category": "Its category",
    "quantity": "Units",
    "unit_price": "Price of one",
    "amount": "What the line adds to the order: quantity times price, less the line's discount",
    "line_discount": "Discount within `amount`",
    "line_cancelled_at": "When this line alone was cancelled; an order all of whose lines were, is cancelled",
    "returned_quantity": "Units of the line given back",
    "returned_amount": "Money given back for them",
    "returned_at": "When",
    "is_return": "The row is a credit note, with negative amounts and a number of its own",
    "return_of": "The order that a credit note belongs to",
}
SALE_COLUMNS = {**ORDER_COLUMNS, **LINE_COLUMNS}
PERSONS = ("customer_id", "email", "phone")
_ABOUT = ("email", "phone", "name", "city", "country", "language")


def sale_facts(has: Set[str], currency: str, *, source: str = "", spread: bool = False) -> dict[str, str]:
    """The SELECT of each fact table over `{rows}`; `has` are the columns the rows have (`customer_id` for the key).

    `currency` is that of rows that name none. `source` tells orders of the same number apart that come from different
    systems. `spread`: what stands for the whole order is on its first line only.
    """
    own = literal(currency)
    facts = {
        "orders": _orders(has, own, source),
        "order_lines": _order_lines(has, source, spread=spread),
        "returns": _returns(has, own, source),
        "customers": _customers(has),
    }
    if "product_id" in has:
        facts["products"] = _products(has, own)
    return facts


def counted_nowhere(has: Set[str]) -> str | None:
    """Which orders, in a grouping by number, were cancelled or are no real sale; None where a file knows of none."""
    checks = [f"bool_or({flag})" for flag in ("is_test", "is_staff") if flag in has]
    if "cancelled_at" in has or "line_cancelled_at" in has:
        checks.append(f"{_cancelled(has)} is not null")
    return " or ".join(f"coalesce({check}, false)" for check in checks) or None


def total(has: Set[str]) -> str:
    """The total of one order, in a grouping by number."""
    added = f"{_plus('shipping', '+', has)}{_plus('added_tax', '+', has)}"
    made = f"{_goods(has)}{_plus('order_discount', '-', has)}{added}"
    if "order_total" in has:
        made = f"coalesce(max(order_total), {made})" if "amount" in has else "max(order_total)"
    return f"({made}{_plus('platform_discount', '+', has)})"


def _goods(has: Set[str]) -> str:
    if "line_cancelled_at" not in has:
        return "sum(amount)"
    # Of an order that was cancelled whole, the total that it had is kept.
    return "coalesce(sum(amount) filter (where line_cancelled_at is null), sum(amount))"


def _plus(column: str, sign: str, has: Set[str]) -> str:
    return f" {sign} coalesce(max({column}), 0)" if column in has else ""


def _cancelled(has: Set[str]) -> str:
    if "line_cancelled_at" not in has:
        return _any("cancelled_at", has)
    by_line = "case when bool_and(line_cancelled_at is not null) then max(line_cancelled_at) end"
    return f"coalesce(max(cancelled_at), {by_line})" if "cancelled_at" in has else by_line


def _document(has: Set[str], source: str, of_many: str = "") -> str:
    """What an import replaces as a whole; orders of another source are others."""
    own = f"{of_many}(document)" if "document" in has else "number"
    return f"{literal(source + ':')} || {own}" if source else own


def _or_null(column: str, has: Set[str]) -> str:
    return column if column in has else "null"


def _any(column: str, has: Set[str]) -> str:
    return f"max({column})" if column in has else "null"


def _flag(column: str, has: Set[str]) -> str:
    return f"coalesce(bool_or({column}), false)" if column in has else "false"


def _sale(has: Set[str]) -> str:
    return "not coalesce(is_return, false)" if "is_return" in has else "true"


def _own(column: str, has: Set[str], currency: str) -> str:
    return f"coalesce({column}, {currency})" if "currency" in has else currency


def _orders(has: Set[str], currency: str, source: str) -> str:
    given = [*(["sum(line_discount)"] if "line_discount" in has else [])]
    given += [f"max({column})" for column in ("order_discount", "platform_discount") if column in has]
    discount = " + ".join(f"coalesce({part}, 0)" for part in given) or "null"
    taxes = [f"coalesce(max({column}), 0)" for column in ("tax", "added_tax") if column in has]
    no_goods = "coalesce(max(quantity) <= 0, false)" if "quantity" in has else "false"
    return f"""select number as order_id, {_document(has, source, "max")} as document_id,
        {_any("customer_id", has)} as customer_id, min(placed_at) as placed_at, min(day) as day, {total(has)} as total,
        {_own("max(currency)", has, currency)} as currency,
        {_any("code", has)} as code, {_any("channel", has)} as channel, {_any("country", has)} as country,
        {discount} as discount, {_any("platform_discount", has)} as platform_discount,
        {_any("shipping", has)} as shipping, {" + ".join(taxes) or "null"} as tax, {_any("paid_at", has)} as paid_at,
        {_cancelled(has)} as cancelled_at, {_any("undelivered_at", has)} as undelivered_at,
        {_flag("is_test", has)} as is_test, {_flag("is_staff", has)} as is_staff,
        {total(has)} < 0 or {no_goods} as is_adjustment
        from {{rows}} where {_sale(has)} group by number"""


def _order_lines(has: Set[str], source: str, *, spread: bool) -> str:
    if "product_id" not in has:
        return _nothing("order_lines")
    quantity = "quantity" if "quantity" in has else "1"
    amount = "amount" if "amount" in has else "null"
    columns = f"""{_or_null("line", has)} as line, coalesce(product_id, '') as product_id, {quantity} as quantity,
        {_or_null("unit_price", has)} as unit_price, {amount} as amount"""
    # An order of which no line is known has none.
    stands = f"{_sale(has)} and (product_id is not null or {amount} is not null)"
    stands += " and line_cancelled_at is null" if "line_cancelled_at" in has else ""
    if spread:
        return f"""
            with whole as (
                select number, max(customer_id) as customer_id, min(placed_at) as placed_at, min(day) as day
                from {{rows}} where {_sale(has)} group by number
            )
            select number as order_id, {_document(has, source)} as document_id,
                whole.customer_id, whole.placed_at, whole.day, {columns}
            from {{rows}} join whole using (number) where {stands}"""
    # An order takes its earliest time, also where its lines bear several.
    return f"""
        with two_times as (
            select number, min(placed_at) as first_placed_at, min(day) as first_day from {{rows}}
            where {_sale(has)} group by number having min(placed_at) <> max(placed_at)
        )
        select number as order_id, {_document(has, source)} as document_id,
            {_or_null("customer_id", has)} as customer_id,
            coalesce(first_placed_at, placed_at) as placed_at, coalesce(first_day, day) as day, {columns}
        from {{rows}} left join two_times using (number) where {stands}"""


def _returns(has: Set[str], currency: str, source: str) -> str:
    """Credit notes, lines given back, and what was refunded beyond them."""
    found = []
    own = f"{_own('currency', has, currency)} as currency"
    of_order = f"{_own('max(currency)', has, currency)} as currency"
    product = _or_null("product_id", has)
    if "is_return" in has:
        found.append(f"""select number || '-' || row_number() over (partition by number order by {product}, amount,
                fingerprint_of_row) as return_id, {_document(has, source)} as document_id,
            {_or_null("return_of", has)} as order_id, {_or_null("customer_id", has)} as customer_id,
            {product} as product_id,
            {"-quantity" if "quantity" in has else "null"} as quantity,
            -amount as amount, {own}, placed_at as returned_at, day
            from {{rows}} where is_return""")
    if "returned_quantity" in has or "returned_amount" in has:
        found.append(_returned_lines(has, own, source))
    if "refunded" in has:
        found.append(_refunds(has, of_order, source))
    return " union all by name ".join(found) or _nothing("returns")


def _of_orders_that_count(has: Set[str]) -> str:
    nowhere = counted_nowhere(has)
    none = f"select number from {{rows}} where {_sale(has)} group by number having {nowhere}"
    return f"number not in ({none})" if nowhere else "true"


def _returned_amount(has: Set[str]) -> str:
    share = "null::decimal(18,4)"
    if {"returned_quantity", "quantity"} <= has:
        share = "(amount * returned_quantity / nullif(quantity, 0))::decimal(18,4)"
    return f"coalesce(returned_amount, {share})" if "returned_amount" in has else share


def _returned_lines(has: Set[str], own: str, source: str) -> str:
    quantity = _or_null("returned_quantity", has)
    when = "coalesce(returned_at, w.placed_at)" if "returned_at" in has else "w.placed_at"
    product, amount = _or_null("product_id", has), _returned_amount(has)
    return f"""select number || '-' || row_number() over (partition by number order by {product}, {amount}, {quantity},
            fingerprint_of_row) as return_id, {_document(has, source)} as document_id, number as order_id,
        w.customer_id, {product} as product_id, {quantity} as quantity, {amount} as amount, {own},
        {when} as returned_at, {_day_of(when)} as day
        from {{rows}} join ({_whole(has)}) w using (number)
        where (coalesce({quantity}, 0) > 0 or {amount} > 0) and {_of_orders_that_count(has)}"""


def _refunds(has: Set[str], own: str, source: str) -> str:
    lines = "0"
    if "returned_quantity" in has or "returned_amount" in has:
        lines = f"coalesce(sum({_returned_amount(has)}), 0)"
    when = "coalesce(max(refunded_at), min(placed_at))" if "refunded_at" in has else "min(placed_at)"
    return f"""select number || '-R' as return_id, {_document(has, source, "max")} as document_id, number as order_id,
        {_any("customer_id", has)} as customer_id, null as product_id, null as quantity,
        max(refunded) - {lines} as amount, {own},
        {when} as returned_at, {_day_of(when)} as day
        from {{rows}} where {_sale(has)} and {_of_orders_that_count(has)}
        group by number having max(refunded) - {lines} > 0"""


def _whole(has: Set[str]) -> str:
    return f"""select number, {_any("customer_id", has)} as customer_id, min(placed_at) as placed_at
        from {{rows}} where {_sale(has)} group by number"""


def _day_of(moment: str) -> str:
    return f"shop_day({moment})"


def _latest(key: str, columns: Sequence[str], where: str) -> str:
    """Each column's last known value by key. Its different values are few, so they are found first."""
    kept = ", ".join([key, *columns])
    last = ", ".join([key, *(f"max_by({column}, (placed_at, {column})) as {column}" for column in columns)])
    return (
        f"select {last}, max(placed_at) as known_at from "
        f"(select {kept}, max(placed_at) as placed_at from {{rows}} where {where} group by {kept}) group by {key}"
    )


def _customers(has: Set[str]) -> str:
    if "customer_id" not in has:
        return _nothing("customers")
    known = [fact for fact in _ABOUT if fact in has]
    columns = {name: name for name in ("customer_id", "known_at", *known)}
    return _named("customers", columns, f"({_latest('customer_id', known, 'customer_id is not null')})")


def _products(has: Set[str], currency: str) -> str:
    known = [role for role in ("product_name", "category", "currency") if role in has]
    columns = {"product_id": "product_id", "known_at": "known_at", "currency": _own("currency", has, currency)}
    columns |= {fact: role for fact, role in (("name", "product_name"), ("category", "category")) if role in has}
    return _named("products", columns, f"({_latest('product_id', known, 'product_id is not null')})")


def _nothing(table: str) -> str:
    """No rows: what an older file said of these orders goes all the same."""
    return _named(table, {}, "(select 1) where false")


def _named(table: str, columns: dict[str, str], source: str) -> str:
    named = ", ".join(
        f"{columns.get(each.name, f'null::{each.kind.value}')} as {each.name}" for each in FACTS[table].fields
    )
    return f"select {named} from {source}"
