"""Stripe's payments, subscriptions and customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

D = Decimal
Row = dict[str, str]

DEFAULT = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,"
    "Converted Currency,Decline Reason,Description,Fee,Refunded date (UTC),Statement Descriptor,Status,Seller Message,"
    "Taxes On Fee,Card ID,Customer ID,Customer Description,Customer Email,Invoice ID,Transfer"
)
ALL = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,"
    "Converted Currency,Decline Reason,Description,Fee,Is Link,Link Funding,Mode,PaymentIntent ID,Payment Source Type,"
    "Refunded date (UTC),Statement Descriptor,Status,Seller Message,Taxes On Fee,Interchange Costs,"
    "Merchant Service Charge,Card ID,Card Name,Card Address Line1,Card Address Line2,Card Address City,"
    "Card Address State,Card Address Country,Card Address Zip,Card AVS Line1 Status,Card AVS Zip Status,Card Brand,"
    "Card CVC Status,Card Exp Month,Card Exp Year,Card Fingerprint,Card Funding,Card Issue Country,Card Last4,"
    "Card Tokenization Method,Customer ID,Customer Description,Customer Email,Customer Phone,Shipping Name,"
    "Shipping Address Line1,Shipping Address Line2,Shipping Address City,Shipping Address State,"
    "Shipping Address Country,Shipping Address Postal Code,Disputed Amount,Dispute Date (UTC),"
    "Dispute Evidence Due (UTC),Dispute Reason,Dispute Status,Invoice ID,Invoice Number,Checkout Session ID"
)
OLD = (
    "id,Description,Created (UTC),Amount,Amount Refunded,Currency,Converted Amount,Converted Amount Refunded,Fee,Tax,"
    "Converted Currency,Mode,Status,Statement Descriptor,Customer ID,Customer Description,Customer Email,Captured,"
    "Card ID,Card Last4,Card Brand,Card Name,Disputed Amount,Dispute Status,Dispute Reason,Dispute Date (UTC),"
    "Dispute Evidence Due (UTC),Invoice ID,Payment Source Type,Destination,Transfer,order_id (metadata)"
)
SUBSCRIPTIONS = (
    "id,Customer ID,Customer Name,Customer Email,Plan,Product,Quantity,Interval,Amount,Currency,Status,"
    "Cancellation Reason,Created (UTC),Start (UTC),Start Date (UTC),Current Period Start (UTC),"
    "Current Period End (UTC),Trial Start (UTC),Trial End (UTC),Canceled At (UTC),Cancel At Period End,Ended At (UTC)"
)
CUSTOMERS = (
    "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,Payment Count,Refunded Volume,"
    "Dispute Losses,tag (metadata)"
)


def paid(number: str, created: str, amount: str, currency: str = "eur", **cells: str) -> Row:
    """A payment that came, in the shop's own currency."""
    return {
        "id": number, "Created date (UTC)": created, "Created (UTC)": created, "Amount": amount, "Currency": currency,
        "Amount Refunded": "0.00", "Converted Amount": amount, "Converted Amount Refunded": "0.00",
        "Converted Currency": currency, "Captured": "true", "Status": "Paid", "Fee": "0.79", "Mode": "Live",
        **cells,
    }  # fmt: skip


def of(email: str, customer: str) -> Row:
    return {"Customer Email": email, "Customer ID": customer}


PAYMENTS: list[Row] = [
    # Half past midnight in Berlin, on the next day.
    paid("ch_1", "2026-01-31 23:30:00", "49.00") | of("Siti@example.com", "cus_1"),
    paid("ch_2", "2026-02-03 10:00:00", "100.00", "usd")
    | of("budi@example.com", "cus_2")
    | {
        "Amount Refunded": "40.00", "Converted Amount": "92.13", "Converted Amount Refunded": "37.05",
        "Converted Currency": "eur", "Refunded date (UTC)": "2026-02-10 08:00:00",
    },
    paid("ch_3", "2026-02-04 10:00:00", "15.00")
    | of("siti@example.com", "cus_9")
    | {"Status": "Failed", "Captured": "false", "Converted Amount": "", "Decline Reason": "insufficient_funds"},
    paid("ch_4", "2026-02-04 11:00:00", "18.00") | {"Captured": "false", "Status": "requires_capture"},
    paid("ch_5", "2026-02-05 10:00:00", "20.00")
    | of("", "cus_5")
    | {
        "Status": "Refunded", "Amount Refunded": "20.00", "Converted Amount Refunded": "20.00",
        "Refunded date (UTC)": "2026-02-06 10:00:00",
    },
    paid("ch_6", "2026-02-07 10:00:00", "1234.50"),
]  # fmt: skip


@pytest.fixture
def export(write_csv: Callable[..., Path]) -> Callable[..., Path]:
    """Writes an export: `export("a.csv", header, rows)`."""

    def write(name: str, header: str, rows: Sequence[Row], delimiter: str = ",") -> Path:
        names = header.split(",")
        return write_csv(name, [[r.get(n, "") for n in names] for r in rows], header=names, delimiter=delimiter)

    return write


@pytest.fixture
def berlin(make_shop: Callable[..., Shop]) -> Shop:
    """A shop in Berlin."""
    return make_shop(currency="EUR", time_zone="Europe/Berlin")


def rows(shop: Shop, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in shop.sql(sql).to_pylist()]


def hidden(shop: Shop, email: str) -> str:
    """The pseudonym of an address, as the customers table has it."""
    ((key,),) = rows(shop, f"select customer_id from customers where email = '{email}'")
    assert key.startswith("p-")
    return str(key)


@pytest.mark.parametrize("header", [DEFAULT, ALL, OLD], ids=["default", "all", "old"])
@pytest.mark.parametrize("german", [False, True])
def test_payments(berlin: Shop, export: Callable[..., Path], header: str, german: bool) -> None:
    given = PAYMENTS
    if german:
        given = [{k: v.replace(".", ",") if "Amount" in k or k == "Fee" else v for k, v in r.items()} for r in PAYMENTS]
    path = export("unified_payments.csv", header, given)
    report = berlin.import_files([path])
    assert report.files[0].understood.format == "Stripe: payments"
    siti, budi = hidden(berlin, "siti@example.com"), hidden(berlin, "budi@example.com")
    day = dt.date
    assert rows(berlin, "select order_id, customer_id, day, currency, total, is_test from orders order by 1") == [
        ("ch_1", siti, day(2026, 2, 1), "EUR", D(49), False),
        ("ch_2", budi, day(2026, 2, 3), "EUR", D("92.13"), False),
        ("ch_5", "stripe:cus_5", day(2026, 2, 5), "EUR", D(20), False),
        ("ch_6", None, day(2026, 2, 7), "EUR", D("1234.50"), False),
    ]
    # The older export does not tell when money went back.
    back = (day(2026, 2, 10), day(2026, 2, 6)) if header != OLD else (day(2026, 2, 3), day(2026, 2, 5))
    assert rows(berlin, "select order_id, customer_id, amount, currency, day from returns order by 1") == [
        ("ch_2", budi, D("37.05"), "EUR", back[0]),
        ("ch_5", "stripe:cus_5", D(20), "EUR", back[1]),
    ]
    (whole,) = report.files[0].bridge.whole
    assert (whole.stated, whole.net) == (D("1395.63"), D("1338.58"))
    assert dict(whole.steps) == {"returns": D("-57.05")}
    assert berlin.import_files([path]).snapshot is None


def test_a_refund_grows(berlin: Shop, export: Callable[..., Path]) -> None:
    berlin.import_files([export("february.csv", DEFAULT, PAYMENTS[1:2])])
    later = PAYMENTS[1] | {"Amount Refunded": "100.00", "Converted Amount Refunded": "93.40", "Status": "Refunded"}
    berlin.import_files([export("march.csv", DEFAULT, [later])])
    # Rates move, so more can go back than came.
    assert rows(berlin, "select total, amount from orders join returns using (order_id)") == [(D("92.13"), D("93.40"))]


def test_disputes_and_trials(berlin: Shop, export: Callable[..., Path]) -> None:
    disputed = {"Disputed Amount": "30.00", "Dispute Date (UTC)": "2026-02-20 09:00:00"}
    given = [
        paid("ch_lost", "2026-02-01 10:00:00", "30.00", **disputed) | {"Dispute Status": "lost"},
        paid("ch_won", "2026-02-01 10:00:00", "30.00", **disputed) | {"Dispute Status": "won"},
        paid("ch_test", "2026-02-01 10:00:00", "30.00", Mode="Test"),
    ]
    report = berlin.import_files([export("payments.csv", ALL, given)])
    assert rows(berlin, "select order_id, is_test from orders order by 1") == [
        ("ch_lost", False),
        ("ch_test", True),
        ("ch_won", False),
    ]
    assert rows(berlin, "select order_id, amount, day from returns") == [("ch_lost", D(30), dt.date(2026, 2, 20))]
    (whole,) = report.files[0].bridge.whole
    assert (whole.stated, dict(whole.steps), whole.net) == (D(90), {"test": D(-30), "returns": D(-30)}, D(30))


@pytest.mark.parametrize(
    ("currency", "amounts", "total"),
    [
        ("JPY", ("1200", "980"), D(2180)),
        ("KWD", ("5.000", "12.500"), D("17.5")),
        ("IDR", ("150000.00", "75000.00"), D(225000)),
    ],
)
def test_currencies_without_and_with_three_places(
    make_shop: Callable[..., Shop], export: Callable[..., Path], currency: str, amounts: tuple[str, str], total: Decimal
) -> None:
    shop = make_shop(currency=currency, time_zone="Asia/Tokyo")
    given = [paid(f"ch_{n}", "2026-02-01 10:00:00", a, currency.lower()) for n, a in enumerate(amounts)]
    shop.import_files([export("payments.csv", DEFAULT, given)])
    assert rows(shop, "select sum(total), max(currency) from orders") == [(total, currency)]


def subscription(number: str, status: str, interval: str, amount: str, start: str, **cells: str) -> Row:
    return {
        "id": number, "Customer ID": "cus_1", "Customer Name": "Siti", "Customer Email": "siti@example.com",
        "Plan": "Box", "Quantity": "1", "Interval": interval, "Amount": amount, "Currency": "eur", "Status": status,
        "Created (UTC)": start, "Start Date (UTC)": start, **cells,
    }  # fmt: skip


def test_subscriptions(berlin: Shop, export: Callable[..., Path]) -> None:
    trial = {"Trial Start (UTC)": "2026-02-01 00:00", "Trial End (UTC)": "2026-02-15 00:00"}
    given = [
        subscription("sub_1", "active", "month", "10.00", "2026-01-01 12:00", Quantity="2"),
        subscription("sub_2", "canceled", "year", "120.00", "2025-01-01 12:00")
        | {"Canceled At (UTC)": "2025-11-01 09:00", "Ended At (UTC)": "2026-01-01 12:00"},
        subscription("sub_3", "trialing", "month", "10.00", "2026-02-01 00:00", **trial),
        subscription("sub_4", "canceled", "month", "10.00", "2026-02-01 00:00", **trial)
        | {"Canceled At (UTC)": "2026-02-03 00:00", "Ended At (UTC)": "2026-02-03 00:00"},
        subscription("sub_5", "incomplete_expired", "month", "10.00", "2026-02-01 00:00"),
        subscription("sub_6", "active", "week", "3.00", "2026-02-01 00:00"),
    ]
    path = export("subscriptions.csv", SUBSCRIPTIONS, given)
    report = berlin.import_files([path])
    assert report.files[0].understood.format == "Stripe: subscriptions"

    def at(day: str, hour: int = 0) -> dt.datetime:
        return dt.datetime.fromisoformat(day).replace(hour=hour, tzinfo=dt.UTC)

    columns = "subscription_id, plan, amount, currency, period_months, started_at, cancelled_at, ended_at"
    assert rows(berlin, f"select {columns} from subscriptions order by 1") == [
        ("sub_1", "Box", D(20), "EUR", 1, at("2026-01-01", 12), None, None),
        ("sub_2", "Box", D(120), "EUR", 12, at("2025-01-01", 12), at("2025-11-01", 9), at("2026-01-01", 12)),
        ("sub_3", "Box", D(10), "EUR", 1, at("2026-02-15"), None, None),
        ("sub_6", "Box", D(13), "EUR", 1, at("2026-02-01"), None, None),
    ]
    siti = hidden(berlin, "siti@example.com")
    assert {key for (key,) in rows(berlin, "select customer_id from subscriptions")} == {siti}
    assert berlin.import_files([path]).snapshot is None


def test_customers_are_those_of_the_payments(berlin: Shop, export: Callable[..., Path]) -> None:
    people = [
        {"id": "cus_1", "Email": "siti@example.com", "Name": "Siti Aminah", "Created (UTC)": "2025-12-31 23:30"},
        {"id": "cus_5", "Name": "Tan Wei Ling", "Created (UTC)": "2026-01-02 08:00"},
    ]
    customers = export("customers.csv", CUSTOMERS, people)
    report = berlin.import_files([export("unified_payments.csv", DEFAULT, PAYMENTS), customers])
    assert report.files[1].understood.format == "Stripe: customers"
    assert rows(berlin, "select customer_id, name, created_at from customers where name is not null order by 2") == [
        (hidden(berlin, "siti@example.com"), "Siti Aminah", dt.datetime(2025, 12, 31, 23, 30, tzinfo=dt.UTC)),
        ("stripe:cus_5", "Tan Wei Ling", dt.datetime(2026, 1, 2, 8, tzinfo=dt.UTC)),
    ]
    assert rows(berlin, "select count(*) from orders join customers using (customer_id)") == [(3,)]
    assert berlin.import_files([customers]).snapshot is None
