"""Square's transactions, item details and customer directory, under the headers of 2017 to 2026."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from setia.app import Shop

D = Decimal
Row = dict[str, str]

TRANSACTIONS_2017 = (
    "Date,Time,Time Zone,Gross Sales,Discounts,Net Sales,Gift Card Sales,Tax,Tip,Partial Refunds,Total Collected,"
    "Source,Card,Card Entry Methods,Cash,Square Gift Card,Other Tender,Other Tender Type,Other Tender Note,Fees,"
    "Net Total,Transaction ID,Payment ID,Card Brand,PAN Suffix,Device Name,Staff Name,Staff ID,Details,Description,"
    "Event Type,Location,Dining Option,Customer ID,Customer Name,Customer Reference ID,Device Nickname"
)
TRANSACTIONS_2018 = (
    TRANSACTIONS_2017.replace("Other Tender,", "Installment,Other Tender,")
    + ",Deposit ID,Deposit Date,Deposit Details,Fee Percentage Rate,Fee Fixed Rate,Refund Reason"
)
TRANSACTIONS_2026 = (
    "Date,Time,Time Zone,Gross Sales,Discounts,Service Charges,Net Sales,Gift Card Sales,Tax,Tip,Partial Refunds,"
    "Total Collected,Source,Card,Card Entry Methods,Cash,Square Gift Card,Other Tender,Other Tender Type,Tender Note,"
    "Fees,Net Total,Transaction ID,Payment ID,Card Brand,PAN Suffix,Device Name,Staff Name,Staff ID,Details,"
    "Description,Event Type,Location,Dining Option,Customer ID,Customer Name,Customer Reference ID,Device Nickname,"
    "Third Party Fees,Deposit ID,Deposit Date,Deposit Details,Fee Percentage Rate,Fee Fixed Rate,Refund Reason,"
    "Discount Name,Transaction Status,Cash App,Order Reference ID,Fulfillment Note,Free Processing Applied,Channel,"
    "Unattributed Tips,Table Info,International Fee"
)
ITEMS_2017 = (
    "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,Tax,"
    "Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,Location,Dining Option,Customer ID,Customer Name,"
    "Customer Reference ID"
)
ITEMS_2025 = f"{ITEMS_2017},Unit,Count,Itemization Type,Fulfillment Note,Channel,Token,Card Brand,PAN Suffix"
ITEMS_2026 = (
    f"{ITEMS_2017},Unit,Count,GTIN,Itemization Type,Commission,Employee,Fulfillment Note,Channel,Token,Card Brand,"
    "PAN Suffix"
)
DIRECTORY = (
    "Reference ID,First Name,Last Name,Email Address,Phone Number,Nickname,Company Name,Street Address 1,"
    "Street Address 2,City,State,Postal Code,Birthday,Memo,Square Customer ID,Creation Source,First Visit,Last Visit,"
    "Transaction Count,Lifetime Spend,Email Subscription Status,Instant Profile,Blocked from online booking"
)
EASTERN = "Eastern Time (US & Canada)"
MONEY = ("Gross Sales", "Discounts", "Net Sales", "Gift Card Sales", "Tax", "Tip", "Partial Refunds", "Total Collected")


def when(day: str, clock: str, **cells: str) -> Row:
    return {"Date": day, "Time": clock, "Time Zone": EASTERN, "Event Type": "Payment", **cells}


def taken(transaction: str, payment: str, *amounts: str) -> Row:
    """Gross, discounts, net, gift cards sold, tax, tip, partial refunds, total."""
    return {"Transaction ID": transaction, "Payment ID": payment, **dict(zip(MONEY, amounts, strict=True))}


SITI = {"Customer ID": "CUST1", "Customer Name": "Siti Aminah"}
TAKEN: list[Row] = [
    # Half past two at night in New York is still the evening before in Los Angeles.
    when("2026-06-16", "02:30:00", Source="Point of Sale", **SITI)
    | taken("T1", "P1", "$30.00", "-$3.00", "$27.00", "$0.00", "$2.16", "$2.00", "$0.00", "$31.16"),
    when("2026-06-16", "12:00:00", Source="Point of Sale", **{"Customer ID": "CUST2", "Customer Name": "Budi"})
    | taken("T2", "P2", "$0.00", "$0.00", "$0.00", "$25.00", "$0.00", "$0.00", "$0.00", "$25.00"),
    when("2026-06-17", "13:00:00", Source="eCommerce Integrations", **{"Customer ID": "CUST2", "Customer Name": "Budi"})
    | taken("T3", "P3", "$1,040.00", "$0.00", "$1,040.00", "$10.00", "$83.20", "$0.00", "$0.00", "$1,133.20"),
    when("2026-06-18", "09:00:00", Source="Point of Sale")
    | taken("T4", "P4", "$12.00", "$0.00", "$12.00", "$0.00", "$0.96", "$0.00", "$0.00", "$12.96"),
    when("2026-06-20", "09:00:00", Source="Point of Sale", **SITI)
    | taken("T1", "P1-R", "-$12.00", "$0.00", "-$12.00", "$0.00", "-$0.96", "$0.00", "$0.00", "-$12.96")
    | {"Event Type": "Refund"},
    # Given back by amount, under a number of its own.
    when("2026-06-21", "10:00:00", Source="Point of Sale", **{"Customer ID": "CUST2", "Customer Name": "Budi"})
    | taken("R3", "P3", "$0.00", "$0.00", "$0.00", "$0.00", "$0.00", "$0.00", "-$5.00", "-$5.00")
    | {"Event Type": "Refund"},
]


def sold(transaction: str, item: str, units: str, *amounts: str, sku: str = "") -> Row:
    """Gross, discounts, net, tax."""
    money = dict(zip(("Gross Sales", "Discounts", "Net Sales", "Tax"), amounts, strict=True))
    cells = {"Item": item, "Qty": units, "SKU": sku, "Category": "None", "Price Point Name": "Regular"}
    return {"Transaction ID": transaction, "Payment ID": transaction.replace("T", "P"), **cells, **money}


SOLD: list[Row] = [
    when("2026-06-16", "02:30:00", **SITI)
    | sold("T1", "Speckled Mug", "1.0", "$18.00", "-$3.00", "$15.00", "$1.20", sku="MUG-1")
    | {"Category": "Ceramics", "Price Point Name": "Large"},
    when("2026-06-16", "02:30:00", **SITI) | sold("T1", "Fern Print", "1.0", "$12.00", "$0.00", "$12.00", "$0.96"),
    when("2026-06-18", "09:00:00") | sold("T4", "Cold Brew", "2.0", "$12.00", "$0.00", "$12.00", "$0.96", sku="BREW"),
    when("2026-06-20", "09:00:00", **SITI)
    | sold("T1", "Fern Print", "-1.0", "-$12.00", "$0.00", "-$12.00", "-$0.96")
    | {"Event Type": "Refund", "Payment ID": "P1-R"},
]


def table(header: str, rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    names = header.split(",")
    return names, [[row.get(name, "") for name in names] for row in rows]


@pytest.fixture
def export(write_csv: Callable[..., Path]) -> Callable[[str, str, Sequence[Row]], Path]:
    """Writes an export: `export("a.csv", header, rows)`."""

    def write(name: str, header: str, rows: Sequence[Row]) -> Path:
        names, cells = table(header, rows)
        return write_csv(name, cells, header=names)

    return write


@pytest.fixture
def cafe(make_shop: Callable[..., Shop]) -> Shop:
    """A shop in Los Angeles."""
    return make_shop(currency="USD", time_zone="America/Los_Angeles")


def rows(shop: Shop, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in shop.sql(sql).to_pylist()]


def as_in_2018(row: Row) -> Row:
    """Dates and clocks as Americans write them, and negative amounts in brackets, as spreadsheets do."""
    moment = dt.datetime.fromisoformat(f"{row['Date']}T{row['Time']}")
    money = {name: f"({row[name][1:]})" if row[name].startswith("-") else f"{row[name]} " for name in MONEY}
    return row | money | {"Date": moment.strftime("%m/%d/%Y"), "Time": moment.strftime("%I:%M:%S %p").lstrip("0")}


@pytest.mark.parametrize(
    ("header", "given"),
    [
        (TRANSACTIONS_2017, TAKEN),
        (TRANSACTIONS_2018, [as_in_2018(row) for row in TAKEN]),
        (TRANSACTIONS_2026, [row | {"Transaction Status": "Complete"} for row in TAKEN]),
    ],
    ids=["2017", "2018", "2026"],
)
def test_transactions(cafe: Shop, export: Callable[..., Path], header: str, given: list[Row]) -> None:
    path = export("transactions.csv", header, given)
    report = cafe.import_files([path])
    assert report.files[0].understood.format == "Square: transactions"
    columns = "order_id, customer_id, day, total, tax, discount, channel, is_adjustment"
    day = dt.date
    assert rows(cafe, f"select {columns} from orders order by 1") == [
        ("T1", "square:CUST1", day(2026, 6, 15), D("29.16"), D("2.16"), D(3), "Point of Sale", False),
        # A gift card sold is no purchase yet.
        ("T2", "square:CUST2", day(2026, 6, 16), D(0), D(0), D(0), "Point of Sale", True),
        ("T3", "square:CUST2", day(2026, 6, 17), D("1123.20"), D("83.20"), D(0), "eCommerce Integrations", False),
        ("T4", None, day(2026, 6, 18), D("12.96"), D("0.96"), D(0), "Point of Sale", False),
    ]
    (first,) = rows(cafe, "select placed_at, paid_at from orders where order_id = 'T1'")
    assert set(first) == {dt.datetime(2026, 6, 16, 6, 30, tzinfo=dt.UTC)}
    assert rows(cafe, "select order_id, customer_id, quantity, amount, day from returns order by 1") == [
        ("T1", "square:CUST1", None, D("12.96"), day(2026, 6, 20)),
        ("T3", "square:CUST2", None, D(5), day(2026, 6, 21)),
    ]
    assert rows(cafe, "select customer_id, name from customers order by 1") == [
        ("square:CUST1", "Siti Aminah"),
        ("square:CUST2", "Budi"),
    ]
    assert cafe.import_files([path]).snapshot is None


def test_what_did_not_come_to_be_is_left_out(cafe: Shop, export: Callable[..., Path]) -> None:
    failed = TAKEN[3] | {"Transaction ID": "T9", "Transaction Status": "Failed"}
    report = cafe.import_files([export("transactions.csv", TRANSACTIONS_2026, [*TAKEN, failed])])
    assert rows(cafe, "select order_id from orders order by 1") == [("T1",), ("T2",), ("T3",), ("T4",)]
    assert (report.files[0].others, report.files[0].rejected) == (1, 0)


def test_the_total_collected_is_bridged_to_the_cent(cafe: Shop, export: Callable[..., Path]) -> None:
    report = cafe.import_files([export("transactions.csv", TRANSACTIONS_2026, TAKEN)])
    (whole,) = report.files[0].bridge.whole
    assert (whole.stated, whole.net) == (D("1202.32"), D("1147.36"))
    assert dict(whole.steps) == {"tips": D(-2), "gift_cards": D(-35), "returns": D("-17.96")}


@pytest.mark.parametrize("header", [ITEMS_2017, ITEMS_2025, ITEMS_2026], ids=["2017", "2025", "2026"])
def test_items(cafe: Shop, export: Callable[..., Path], header: str) -> None:
    gift_card = when("2026-06-18", "11:00:00") | sold("T5", "Gift Card", "1.0", "$25.00", "$0.00", "$25.00", "$0.00")
    given = [*SOLD, *([gift_card | {"Itemization Type": "Gift Card"}] if "Itemization" in header else [])]
    path = export("items.csv", header, given)
    report = cafe.import_files([path])
    assert report.files[0].understood.format == "Square: item details"
    assert rows(cafe, "select order_id, customer_id, total, tax, discount, day from orders order by 1") == [
        ("T1", "square:CUST1", D("29.16"), D("2.16"), D(3), dt.date(2026, 6, 15)),
        ("T4", None, D("12.96"), D("0.96"), D(0), dt.date(2026, 6, 18)),
    ]
    lines = "select order_id, product_id, quantity, unit_price, amount from order_lines order by 1, 2"
    assert rows(cafe, lines) == [
        ("T1", "Fern Print · Regular", D(1), D(12), D(12)),
        ("T1", "MUG-1", D(1), D(18), D(15)),
        ("T4", "BREW", D(2), D(6), D(12)),
    ]
    assert rows(cafe, "select product_id, name, category from products order by 1") == [
        ("BREW", "Cold Brew", None),
        ("Fern Print · Regular", "Fern Print", None),
        ("MUG-1", "Speckled Mug · Large", "Ceramics"),
    ]
    assert rows(cafe, "select order_id, product_id, quantity, amount, day from returns") == [
        ("T1", "Fern Print · Regular", D(1), D("12.96"), dt.date(2026, 6, 20))
    ]
    (whole,) = report.files[0].bridge.whole
    assert (whole.stated, whole.net) == (D(39), D("29.16"))
    assert dict(whole.steps) == {"tax": D("3.12"), "returns": D("-12.96")}
    assert cafe.import_files([path]).snapshot is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_both_exports_of_the_same_sales(cafe: Shop, export: Callable[..., Path], order: tuple[int, int]) -> None:
    # The items know nothing of half a dollar that went back for the service.
    taken_back = TAKEN[4] | {"Total Collected": "-$13.46"}
    paths = [
        export("transactions.csv", TRANSACTIONS_2026, [*TAKEN[:4], taken_back, *TAKEN[5:]]),
        export("items.csv", ITEMS_2026, SOLD),
    ]
    given = [paths[n] for n in order]
    report = cafe.import_files(given)
    columns = "order_id, customer_id, day, total, tax, discount, channel, is_adjustment"
    day = dt.date
    assert rows(cafe, f"select {columns} from orders order by 1") == [
        ("T1", "square:CUST1", day(2026, 6, 15), D("29.16"), D("2.16"), D(3), "Point of Sale", False),
        ("T2", "square:CUST2", day(2026, 6, 16), D(0), D(0), D(0), "Point of Sale", True),
        ("T3", "square:CUST2", day(2026, 6, 17), D("1123.20"), D("83.20"), D(0), "eCommerce Integrations", False),
        ("T4", None, day(2026, 6, 18), D("12.96"), D("0.96"), D(0), "Point of Sale", False),
    ]
    lines = "select order_id, product_id, quantity, unit_price, amount from order_lines where product_id <> ''"
    assert rows(cafe, f"{lines} order by 1, 2") == [
        ("T1", "Fern Print · Regular", D(1), D(12), D(12)),
        ("T1", "MUG-1", D(1), D(18), D(15)),
        ("T4", "BREW", D(2), D(6), D(12)),
    ]
    assert rows(cafe, "select order_id, product_id, amount, day from returns order by 1, 3") == [
        ("T1", None, D("0.50"), day(2026, 6, 20)),
        ("T1", "Fern Print · Regular", D("12.96"), day(2026, 6, 20)),
        ("T3", None, D(5), day(2026, 6, 21)),
    ]
    (bridge,) = {id(each.bridge): each.bridge for each in report.files if each.bridge is not None}.values()
    (whole,) = bridge.whole
    assert (whole.stated, whole.net) == (D("1202.32"), D("1146.86"))
    assert dict(whole.steps) == {"tips": D(-2), "gift_cards": D(-35), "returns": D("-18.46")}
    assert cafe.import_files(given).snapshot is None


def test_a_refund_that_comes_later_keeps_its_sale(cafe: Shop, export: Callable[..., Path]) -> None:
    cafe.import_files([export("june.csv", TRANSACTIONS_2026, TAKEN[:4])])
    cafe.import_files([export("july.csv", TRANSACTIONS_2026, TAKEN[4:5])])
    assert rows(cafe, "select total from orders where order_id = 'T1'") == [(D("29.16"),)]
    assert rows(cafe, "select order_id, amount from returns") == [("T1", D("12.96"))]


def test_a_sale_of_an_unknown_zone_has_the_shops(cafe: Shop, export: Callable[..., Path]) -> None:
    elsewhere = [TAKEN[0] | {"Time Zone": "Atlantis"}, TAKEN[3] | {"Time Zone": "Tokyo"}]
    cafe.import_files([export("transactions.csv", TRANSACTIONS_2026, elsewhere)])
    assert rows(cafe, "select placed_at from orders order by order_id") == [
        (dt.datetime(2026, 6, 16, 9, 30, tzinfo=dt.UTC),),
        (dt.datetime(2026, 6, 18, 0, 0, tzinfo=dt.UTC),),
    ]


PEOPLE: list[Row] = [
    {
        "First Name": "Siti", "Last Name": "Aminah", "Email Address": "Siti@Example.com",
        "Phone Number": "+1 202-555-0143", "City": "Oakland", "Birthday": "1990-04-12", "Square Customer ID": "CUST1",
        "Creation Source": "Directory", "First Visit": "2025-01-10", "Last Visit": "2026-06-16",
        "Email Subscription Status": "Subscribed",
    },
    {
        "First Name": "Budi", "Email Address": "budi@example.com", "Square Customer ID": "CUST2",
        "Birthday": "0000-08-01", "First Visit": "2026-06-16", "Last Visit": "2026-06-21",
        "Email Subscription Status": "Unsubscribed",
    },
    {
        "Last Name": "Tan", "Square Customer ID": "CUST3", "Email Address": "tan@example.com",
        "Email Subscription Status": "Unknown",
    },
]  # fmt: skip


def test_the_directory(cafe: Shop, export: Callable[..., Path]) -> None:
    path = export("export-20260701.csv", DIRECTORY, PEOPLE)
    report = cafe.import_files([path])
    assert report.files[0].understood.format == "Square: customer directory"
    columns = "customer_id, email, phone, name, city, birth_date, source"
    assert rows(cafe, f"select {columns} from customers order by 1") == [
        (
            "square:CUST1", "siti@example.com", "+12025550143", "Siti Aminah", "Oakland", dt.date(1990, 4, 12),
            "Directory",
        ),
        ("square:CUST2", "budi@example.com", None, "Budi", None, None, None),
        ("square:CUST3", "tan@example.com", None, "Tan", None, None, None),
    ]  # fmt: skip
    zone = dt.timezone(dt.timedelta(hours=-8))
    assert rows(cafe, "select customer_id, email, channel, purpose, state, decided_at from consents order by 1") == [
        # Consent as early as it can have been given, its end as late as the file proves.
        (
            "square:CUST1", "siti@example.com", "email", "marketing", "given",
            dt.datetime(2025, 1, 10, tzinfo=zone),
        ),
        (
            "square:CUST2", "budi@example.com", "email", "marketing", "withdrawn",
            dt.datetime(2026, 6, 21, 7, tzinfo=dt.UTC),
        ),
    ]  # fmt: skip
    assert cafe.import_files([path]).snapshot is None


def test_the_directory_as_it_was(cafe: Shop, export: Callable[..., Path]) -> None:
    old = DIRECTORY.replace("Email Subscription Status", "Email Unsubscribed")
    people = [PEOPLE[0] | {"Email Unsubscribed": "False"}, PEOPLE[1] | {"Email Unsubscribed": "True"}]
    cafe.import_files([export("export.csv", old, people)])
    assert rows(cafe, "select customer_id, state from consents") == [("square:CUST2", "withdrawn")]


def test_any_mix_of_payments_and_refunds_adds_up(cafe: Shop, export: Callable[..., Path]) -> None:
    """Hundreds of rows, some sales paid in two parts, against sums in cents by plain arithmetic."""
    rng = Random(20260616)
    given: list[Row] = []
    collected = tips = cards = returned = 0
    totals: dict[str, int] = {}
    for n in range(400):
        net, tax = rng.randrange(0, 90_000), rng.randrange(0, 8_000)
        tip, card = rng.choice([0, 0, rng.randrange(1, 2_000)]), rng.choice([0, 0, 0, 2_500])
        refund = n > 300 and rng.random() < 0.4
        sale = f"S{n // 2 if n < 100 else n}"
        if refund:
            net, tax, tip, card = -net, -tax, -tip, 0
            returned += -(net + tax)
        else:
            collected, tips, cards = collected + net + tax + tip + card, tips + tip, cards + card
            totals[sale] = totals.get(sale, 0) + net + tax
        amounts = (net, 0, net, card, tax, tip, 0, net + tax + tip + card)
        row = when("2026-06-20", f"{10 + n // 60}:{n % 60:02}:00") | taken(sale, f"P{n}", *map(dollars, amounts))
        given.append(row | ({"Event Type": "Refund"} if refund else {}))
    report = cafe.import_files([export("transactions.csv", TRANSACTIONS_2026, given)])
    found = rows(cafe, "select order_id, total from orders")
    assert {order: int(total * 100) for order, total in found} == totals
    (whole,) = report.files[0].bridge.whole
    assert whole.stated * 100 == collected
    assert {reason: amount * 100 for reason, amount in whole.steps.items()} == {
        "tips": -tips,
        "gift_cards": -cards,
        "returns": -returned,
    }
    assert whole.net * 100 == sum(totals.values()) - returned


def dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
