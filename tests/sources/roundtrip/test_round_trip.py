"""Random shops written as each export would write them: what Setia reads is what the shop sold, to the last cent."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from setia.app import Shop

from .model import CANCELLED, JAKARTA, KUALA_LUMPUR, TEST, UNDELIVERED, ZERO, Order, Person, Place, shops
from .packing import TYPED, pack
from .writers import Format
from .writers_logs import AmountLog, BareLog, Native, PricedLog
from .writers_markets import Lazada, Olist, Shopee, TikTokShop
from .writers_shops import AdvancedExport, Shopify, SkyVerge, WebToffee, WebToffeeCells
from .writers_tills import Square, SquareItems, SquareTransactions, Stripe

pytestmark = pytest.mark.slow
FORMATS: tuple[Format, ...] = (
    PricedLog(), AmountLog(), BareLog(), Native(), Shopify(), AdvancedExport(), WebToffee(), WebToffeeCells(),
    SkyVerge(), Shopee(), TikTokShop(), Lazada(), Olist(), Square(), SquareTransactions(), SquareItems(), Stripe(),
)  # fmt: skip
EXAMPLES = int(os.environ.get("SETIA_ROUND_TRIPS", "3"))
PLACES = st.sampled_from([JAKARTA, KUALA_LUMPUR])
_numbers = count()
EXACT = Fraction(1, 1000)
"""A share of a share is kept to four places."""


# Every step of a shrinking takes imports of its own: a failing shop is small enough as it is.
UNSHRUNK = settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
)


@UNSHRUNK
@given(data=st.data())
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_is_written_is_what_is_read(
    emptied: Callable[[Place], Shop],
    all_facts: Callable[[Shop], Any],
    tmp_path: Path,
    form: Format,
    data: st.DataObject,
) -> None:
    place = data.draw(PLACES)
    kind = data.draw(st.sampled_from(form.packings))
    seed = data.draw(st.integers(0, 10_000))
    orders = [form.suits(order, place) for order in data.draw(shops(place, form.lacks))]
    shop = emptied(place)

    def write(some: Sequence[Order]) -> list[Path]:
        tables = form.write(some, place, random.Random(seed), typed=kind in TYPED)
        return pack(tables, kind, tmp_path / f"{next(_numbers)}", seed)

    files = write(orders)
    note(f"{kind}: {files}")
    report = shop.import_files(files)
    assert sum(each.rejected for each in report.files) == 0
    written = form.write(orders, place, random.Random(seed), typed=kind in TYPED)
    assert sum(each.rows + each.others for each in report.files) == sum(len(table.rows) for table in written)
    compare_orders(shop, form, place, orders)
    if form.has_lines:
        compare_lines(shop, form, place, orders)
    returned = compare_returns(shop, form, place, orders)
    compare_people(shop, form, orders)
    compare_totals(report.totals, form, place, orders, returned)
    compare_bridges(report, form, orders, returned)
    assert shop.import_files(files).snapshot is None
    whole = without_gaps(all_facts(shop))
    cut = data.draw(st.integers(0, len(orders)))
    if not 0 < cut < len(orders) or not all(any(o.exists for o in half) for half in (orders[:cut], orders[cut:])):
        return
    shop = emptied(place)
    shop.import_files([*write(orders[:cut]), *write(orders[cut:])])
    assert without_gaps(all_facts(shop)) == whole


def without_gaps(facts: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """A half that knows no discount may come without the column, and nothing is as much as none."""
    return {name: [tuple(0 if cell is None else cell for cell in row) for row in rows] for name, rows in facts.items()}


def read(shop: Shop, query: str) -> list[dict[str, Any]]:
    with shop.reading() as reader:
        found = reader.duck.execute(query)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def known(form: Format, orders: Sequence[Order]) -> list[Order]:
    """The orders that Setia should have."""
    return [order for order in orders if order.exists]


def compare_orders(shop: Shop, form: Format, place: Place, orders: Sequence[Order]) -> None:
    rows = read(shop, "select * from orders")

    def own(order: Order) -> tuple[Any, ...]:
        return (
            form.number(order) if form.numbered else "", order.placed_at,
            order.placed_at.astimezone(ZoneInfo(place.zone)).date(), form.total(order), form.currency(order),
            order.fate in (CANCELLED, UNDELIVERED), order.fate == UNDELIVERED, order.fate == TEST,
        )  # fmt: skip

    found = Counter(
        (
            row["order_id"] if form.numbered else "", row["placed_at"].astimezone(dt.UTC), row["day"], row["total"],
            row["currency"], row["cancelled_at"] is not None, row["undelivered_at"] is not None, row["is_test"],
        )
        for row in rows
    )  # fmt: skip
    assert found == Counter(map(own, known(form, orders)))
    # A person has one key, and nobody else has it.
    keys: dict[Person | None, set[str | None]] = defaultdict(set)
    by_order = {row["order_id"] if form.numbered else (row["placed_at"], row["total"]): row for row in rows}
    for order in known(form, orders):
        row = by_order[form.number(order) if form.numbered else (order.placed_at, form.total(order))]
        keys[order.person].add(row["customer_id"])
    assert keys.pop(None, {None}) == {None}
    if form.numbered:
        assert all(len(each) == 1 and None not in each for each in keys.values()), keys
        assert len({key for each in keys.values() for key in each}) == len(keys)


def compare_lines(shop: Shop, form: Format, place: Place, orders: Sequence[Order]) -> None:
    found: dict[tuple[str, str], list[Decimal]] = {}
    query = """select order_id, product_id, sum(quantity) as quantity, sum(amount) as amount from order_lines
        where order_id in (select order_id from orders where cancelled_at is null) group by all"""
    for row in read(shop, query):
        found[row["order_id"], row["product_id"]] = [row["quantity"], row["amount"]]
    expected: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for order in known(form, orders):
        if order.fate in (CANCELLED, UNDELIVERED):
            continue
        for product, quantity, amount in form.sold(order, place):
            expected[form.number(order), product][0] += quantity
            expected[form.number(order), product][1] += amount
    assert found == expected
    if form.names_products:
        titles = {line.product.sku: line.product.name for o in known(form, orders) for line in o.lines}
        assert {row["product_id"]: row["name"] for row in read(shop, "select * from products")} == titles


def compare_returns(shop: Shop, form: Format, place: Place, orders: Sequence[Order]) -> dict[str, Fraction]:
    """What was given back, by order, is what the model says; returned by currency."""
    named = "order_id" if form.names_returned_order else "null"
    query = f"select {named} as order_id, currency, sum(amount) as amount from returns group by all"
    rows = read(shop, query)
    found: dict[str | None, Fraction] = {row["order_id"]: Fraction(row["amount"]) for row in rows if row["amount"]}
    expected: dict[str | None, Fraction] = defaultdict(Fraction)
    by_currency: dict[str, Fraction] = defaultdict(Fraction)
    for order in known(form, orders):
        back = form.returned(order, place)
        if back:
            expected[form.number(order) if form.names_returned_order else None] += back
            by_currency[form.currency(order)] += back
    if not form.names_returned_order:
        found = {None: sum(found.values(), Fraction(0))} if found else {}
    assert found.keys() == expected.keys()
    assert all(abs(found[order] - expected[order]) < EXACT for order in expected), (found, expected)
    return by_currency


def compare_people(shop: Shop, form: Format, orders: Sequence[Order]) -> None:
    if not form.knows:
        return
    people = {order.person for order in known(form, orders) if order.person}
    columns = ", ".join(f"coalesce({column}, '') as {column}" for column in form.knows)
    found = Counter(tuple(row.values()) for row in read(shop, f"select {columns} from customers"))
    assert found == Counter(tuple(getattr(person, column) for column in form.knows) for person in people)


def compare_totals(
    totals: Any, form: Format, place: Place, orders: Sequence[Order], returned: dict[str, Fraction]
) -> None:
    there = known(form, orders)
    count = [order for order in there if order.counts]
    assert (totals.orders, totals.trials) == (len(count), sum(order.fate == TEST for order in there))
    assert totals.cancelled == sum(order.fate == CANCELLED for order in there)
    assert totals.undelivered == sum(order.fate == UNDELIVERED for order in there)
    assert totals.guests == sum(order.person is None for order in count)
    assert totals.customers == len({order.person for order in count if order.person})
    assert totals.free == sum(form.total(order) == 0 for order in count)
    days = [order.placed_at.astimezone(ZoneInfo(place.zone)).date() for order in there]
    assert (totals.first_day, totals.last_day) == (min(days), max(days))
    net = net_sales(form, orders, returned)
    assert all(abs(Fraction(value) - net[currency]) < EXACT for currency, value in totals.net_sales.items())
    assert {currency for currency, value in net.items() if value} <= totals.net_sales.keys()


def net_sales(form: Format, orders: Sequence[Order], returned: dict[str, Fraction]) -> dict[str, Fraction]:
    net: dict[str, Fraction] = defaultdict(Fraction)
    for order in known(form, orders):
        net[form.currency(order)] += Fraction(form.total(order)) if order.counts else 0
    for currency, amount in returned.items():
        net[currency] -= amount
    return net


def compare_bridges(report: Any, form: Format, orders: Sequence[Order], returned: dict[str, Fraction]) -> None:
    """From what the system states to net sales, without anything unexplained, for the whole and by month."""
    for file in report.files:
        if file.bridge is None:
            assert form.stated(orders[0]) is None
            continue
        stated: dict[str, Decimal] = defaultdict(Decimal)
        for order in known(form, orders):
            own = form.stated(order)
            assert own is not None
            stated[form.currency(order)] += own
        net = net_sales(form, orders, returned)
        assert {each.currency: each.stated for each in file.bridge.whole} == stated
        for account in file.bridge.whole:
            assert "other" not in account.steps, account
            assert account.stated + sum(account.steps.values()) == account.net
            assert account.net == round(account.net, 4), "four places are all that facts have"
            assert abs(Fraction(account.net) - net[account.currency]) < EXACT
            months = [month for month in file.bridge.months if month.currency == account.currency]
            assert sum(month.net for month in months) == account.net
            assert sum(month.stated for month in months) == account.stated
            assert sum(month.steps.get("moved", ZERO) for month in months) == 0
