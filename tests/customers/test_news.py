"""A refresh that touches only customers with news gives what a refresh from scratch gives, to the last digit."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.customers.news import Before, find_news, renewed
from setia.customers.traits import OBSERVED, happened, judged, observed, with_needs
from setia.facts import FACTS
from setia.history.scope import Scope
from setia.settings import WarehouseSettings
from setia.warehouse import duck
from setia.warehouse.files import DataFile
from setia.warehouse.reader import Reader

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
PEOPLE = [f"c{number}" for number in range(60)]
_numbers = count()


def moment(random_: random.Random) -> dt.datetime:
    return START + dt.timedelta(days=random_.randint(0, 420), minutes=random_.choice([0, 10, 600, 1439]))


def somebody(r: random.Random) -> str | None:
    return r.choice([*PEOPLE, None, None, None])


def one(r: random.Random, table: str, number: int) -> dict[str, Any]:
    """A row of a table at random, made so that rows of different customers get into each other's way."""
    at, who = moment(r), somebody(r)
    day = at.date()
    later = at + dt.timedelta(days=r.randint(0, 60))
    maybe = r.choice([None, later])
    match table:
        case "customers":
            who = PEOPLE[number % len(PEOPLE)]
            shared = f"x{r.randint(0, 9)}@example.com"
            return {"customer_id": who, "email": r.choice([None, shared, f"{who}@example.com"]),
                    "phone": r.choice([None, "+62811"]), "created_at": r.choice([None, at]),
                    "birth_date": r.choice([None, dt.date(1990, 2, 28)]), "email_consent_at": r.choice([None, at]),
                    "email_optout_at": r.choice([None, None, later])}  # fmt: skip
        case "consents":
            shared = f"x{r.randint(0, 9)}@example.com"
            return {"consent_id": str(number), "customer_id": who, "email": r.choice([None, shared]),
                    "channel": r.choice(["email", "whatsapp"]), "state": r.choice(["given", "withdrawn"]),
                    "decided_at": at}  # fmt: skip
        case "orders":
            return {"order_id": str(number % 80), "document_id": f"{r.choice(['', 'shopee:'])}{number}",
                    "customer_id": who, "placed_at": at, "day": day, "total": r.randint(-5, 90),
                    "currency": r.choice([None, "USD", "EUR"]), "discount": r.choice([None, 3]),
                    "code": r.choice([None, "K"]), "channel": r.choice([None, "web", "app"]),
                    "cancelled_at": r.choice([None, None, None, later]),
                    "is_test": r.choice([None, False, True])}  # fmt: skip
        case "order_lines":
            return {"order_id": str(number % 80), "document_id": f"{r.choice(['', 'shopee:'])}{r.randint(0, 99)}",
                    "customer_id": who, "product_id": f"p{r.randint(0, 11)}", "quantity": 1, "amount": r.randint(1, 20),
                    "placed_at": at, "day": day}  # fmt: skip
        case "products":
            return {"product_id": f"p{number}", "category": r.choice(["x", "y"])}
        case "returns":
            return {"return_id": str(number),
                    "document_id": f"{r.choice(['', 'shopee:'])}r{number}",
                    "order_id": r.choice([None, str(number % 80)]), "customer_id": who, "returned_at": at, "day": day,
                    "amount": r.randint(0, 30), "currency": r.choice([None, "EUR"])}  # fmt: skip
        case "events":
            return {"event_id": str(number), "customer_id": r.choice([who, None]), "occurred_at": at, "day": day,
                    "visitor": r.choice([None, *(f"v{n}" for n in range(25))]),
                    "name": r.choice(["Product Viewed", "Payment Failed", "Friend Referred"])}  # fmt: skip
        case "messages":
            return {"message_id": str(number), "customer_id": who, "sent_at": at, "day": day, "channel": "email",
                    "state": r.choice(["accepted", "rejected"]), "opened_at": maybe,
                    "clicked_at": r.choice([None, later])}  # fmt: skip
        case "answers":
            return {"answer_id": str(number), "customer_id": who, "answered_at": at, "day": day,
                    "survey": r.choice(["nps", "csat"]), "score": r.randint(0, 10),
                    "scale": r.choice([None, 5, 10])}  # fmt: skip
        case "cases":
            return {"case_id": str(number), "customer_id": who, "opened_at": at, "day": day, "resolved_at": maybe}
        case "subscriptions":
            return {"subscription_id": str(number), "customer_id": who or "a", "started_at": at, "amount": 10,
                    "period_months": 1, "ended_at": maybe}  # fmt: skip
    raise AssertionError(table)


TABLES = ("customers", "consents", "orders", "order_lines", "products", "returns", "events", "messages", "answers",
          "cases", "subscriptions")  # fmt: skip
SIZES = {"customers": 60, "products": 12, "orders": 100, "order_lines": 100, "events": 100}


@pytest.fixture
def reader_over(tmp_path: Path) -> Any:
    limits, opened = WarehouseSettings(memory="1GB", threads=2), []

    def make(files: list[DataFile]) -> Reader:
        opened.append(duck.connect(limits, tmp_path))
        return Reader(opened[-1], tmp_path, files)

    yield make
    for connection in opened:
        connection.close()


def put_down(folder: Path, table: str, rows: list[dict[str, Any]]) -> DataFile:
    """Rows as a file of the warehouse."""
    import duckdb
    import pyarrow as pa

    path = folder / f"{table}-{next(_numbers)}.parquet"
    names = dict.fromkeys(name for row in rows for name in row)
    given = pa.table({name: [row.get(name) for row in rows] for name in names})  # noqa: F841  (read by DuckDB)
    blank = ", ".join(f"null::{f.kind.value} as {f.name}" for f in FACTS[table].fields)
    typed = ", ".join(f"{f.name}::{f.kind.value} as {f.name}" for f in FACTS[table].fields)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        select = f"select {typed} from (select {blank} where false union all by name from given)"
        connection.execute(f"copy ({select}) to '{path}' (format parquet)")
    return DataFile(table, None, path.name, len(rows), FACTS[table].version)


def everything(reader: Reader, scope: Scope, rows: Any = None) -> list[dict[str, Any]]:
    made = happened(reader, scope, with_needs(scope, OBSERVED)) if rows is None else rows
    found = reader.arrow(judged(reader.kept(made), scope, 40.0)).to_pylist()
    return sorted(found, key=lambda row: row["customer_id"])


def keep_traits(reader: Reader, folder: Path, scope: Scope) -> DataFile:
    """The table of traits as a refresh leaves it."""
    path = folder / f"traits-{next(_numbers)}.parquet"
    compiled = reader.ibis.compile(observed(reader, scope, 40.0))
    reader.duck.execute(f"copy ({compiled}) to '{path}' (format parquet)")
    return DataFile("traits", None, path.name, 1, 0)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32), days=st.sampled_from([0, 0, 1, 2, 30]), share=st.sampled_from([0.0, 0.3, 0.6]))
def test_with_news_or_from_scratch(seed: int, days: int, share: float) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _compare(folder, random.Random(seed), days, share)


def _compare(folder: Path, r: random.Random, days: int, share: float) -> None:
    limits = WarehouseSettings(memory="1GB", threads=2)
    scope = Scope(dt.date(2024, 12, 1), "USD", "Asia/Jakarta", margin=Decimal("0.3"))
    facts = {table: [one(r, table, n) for n in range(SIZES.get(table, 40))] for table in TABLES}
    rates = put_down(folder, "rates", [{"day": dt.date(2024, 3, 1), "from_currency": "EUR", "to_currency": "USD",
                                       "rate": "1.1"}])  # fmt: skip
    files = {table: put_down(folder, table, rows) for table, rows in facts.items()}
    first = [*files.values(), rates]
    with duck.connect(limits, folder) as connection:
        kept = keep_traits(Reader(connection, folder, first), folder, scope)
    # Some rows change, some go, some come.
    second = [rates]
    for table, rows in facts.items():
        if r.random() < share:
            keys = FACTS[table].key
            more = [one(r, table, n) for n in r.sample(range(200), 2)]
            gone = r.randrange(len(rows))
            stay = [row for place, row in enumerate(rows) if place != gone]
            named = {
                str([row.get(k) for k in keys] if table != "order_lines" else id(row)): row for row in [*stay, *more]
            }
            second.append(put_down(folder, table, list(named.values())))
        else:
            second.append(files[table])
    then = scope.at(scope.as_of + dt.timedelta(days=days))
    with duck.connect(limits, folder) as connection:
        expected = everything(Reader(connection, folder, second), then)
    with duck.connect(limits, folder) as connection:
        reader = Reader(connection, folder, [*second, kept])
        before = Before(scope.as_of, first)
        touched = find_news(reader, before, then)
        assert touched is not None
        assert everything(reader, then, renewed(reader, before, then)) == expected
        if days == 0 and second == first:
            assert touched == 0
    assert len(expected) >= 4


def same_person(folder: Path, **persons: str) -> DataFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"same_person-{next(_numbers)}.parquet"
    columns = {"customer_id": list(persons), "person_id": list(persons.values())}
    pq.write_table(pa.table({k: pa.array(v, pa.string()) for k, v in columns.items()}), path)
    return DataFile("same_person", None, path.name, len(persons), 0)


ADDRESSES = [
    {"customer_id": "a", "email": "one@example.com", "known_at": START, "email_consent_at": START},
    {"customer_id": "y", "email": "two@example.com", "known_at": START + dt.timedelta(days=9)},
    {"customer_id": "z", "email": "one@example.com"},
]


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ({}, {"a": "a", "y": "a"}, {}),
        ({"a": "a", "y": "a"}, {}, {}),
        ({"a": "a", "y": "a"}, {"z": "z", "y": "z"}, {}),
        # Withdrawn under a key that does not show, and without an address.
        ({"a": "y", "y": "y"}, {"a": "y", "y": "y"},
         {"consents": [{"consent_id": "1", "customer_id": "a", "channel": "email", "state": "withdrawn",
                        "decided_at": START + dt.timedelta(days=20)}]}),
        ({}, {}, {"subscriptions": [{"subscription_id": "s", "customer_id": "new", "started_at": START, "amount": 1,
                                     "period_months": 1}]}),
    ],
)  # fmt: skip
def test_persons_joined_and_taken_apart(
    before: dict[str, str], after: dict[str, str], more: dict[str, Any], reader_over: Callable[..., Reader],
    tmp_path: Path,
) -> None:  # fmt: skip
    scope = Scope(dt.date(2024, 7, 1), "USD", "UTC")
    people = put_down(tmp_path, "customers", ADDRESSES)
    orders = put_down(tmp_path, "orders", [order("1", "a", "01-01"), order("2", "y", "02-01")])
    first = [people, orders, *([same_person(tmp_path, **before)] if before else [])]
    kept = keep_traits(reader_over(first), tmp_path, scope)
    second = [people, orders, *(put_down(tmp_path, table, rows) for table, rows in more.items())]
    second += [same_person(tmp_path, **after)] if after else []
    expected = everything(reader_over(second), scope)
    reader = reader_over([*second, kept])
    assert find_news(reader, Before(scope.as_of, first), scope) is not None
    found = everything(reader, scope, renewed(reader, Before(scope.as_of, first), scope))
    other = [(a["customer_id"], n, a[n], b[n]) for a, b in zip(found, expected, strict=True) for n in a if a[n] != b[n]]
    assert other == []


def test_who_has_no_news_is_left_alone(reader_over: Callable[..., Reader], tmp_path: Path) -> None:
    scope = Scope(dt.date(2024, 7, 1), "USD", "UTC")
    old = [{"order_id": who, "document_id": who, "customer_id": who, "total": 10,
            "placed_at": START, "day": START.date()} for who in ("a", "b", "c")]  # fmt: skip
    new = {**old[0], "order_id": "9", "document_id": "9", "placed_at": dt.datetime(2024, 7, 1, tzinfo=dt.UTC),
           "day": dt.date(2024, 7, 1)}  # fmt: skip
    files = [put_down(tmp_path, "orders", old)]
    kept = keep_traits(reader_over(files), tmp_path, scope)
    # The file of the month was written anew with the same rows and one more.
    now = [put_down(tmp_path, "orders", [*old, new]), kept]
    reader = reader_over(now)
    assert find_news(reader, Before(scope.as_of, files), scope.at(dt.date(2024, 7, 2))) == 1
    assert reader.duck.sql("from setia_news").fetchall() == [("a",)]


def test_a_new_rate_or_a_day_before_begins_from_scratch(reader_over: Callable[..., Reader], tmp_path: Path) -> None:
    scope = Scope(dt.date(2024, 7, 1), "USD", "UTC")
    order = {"order_id": "1", "document_id": "1", "customer_id": "a", "total": 1, "placed_at": START,
             "day": START.date()}  # fmt: skip
    files = [put_down(tmp_path, "orders", [order])]
    kept = keep_traits(reader_over(files), tmp_path, scope)
    rate = {"day": dt.date(2024, 1, 1), "from_currency": "EUR", "to_currency": "USD", "rate": "1.1"}
    more = [*files, kept, put_down(tmp_path, "rates", [rate])]
    assert find_news(reader_over(more), Before(scope.as_of, files), scope) is None
    assert find_news(reader_over([*files, kept]), Before(scope.as_of, files), scope.at(dt.date(2024, 6, 30))) is None


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2024-{text}").replace(tzinfo=dt.UTC)


def order(number: str, who: str | None, when: str, **more: Any) -> dict[str, Any]:
    moment = at(when)
    return {"order_id": number, "document_id": number, "customer_id": who, "placed_at": moment, "day": moment.date(),
            "total": 10, **more}  # fmt: skip


def mail(who: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": who, "email": "x@example.com", "email_consent_at": at("01-01"), **more}


RETURN = {"return_id": "r", "document_id": "r", "order_id": "1", "customer_id": "b", "returned_at": at("02-01"),
          "day": dt.date(2024, 2, 1), "amount": 5}  # fmt: skip
LINE = {"order_id": "1", "document_id": "1", "quantity": 1, "amount": 9, "placed_at": at("01-01"),
        "day": dt.date(2024, 1, 1)}  # fmt: skip
OPENED = {"message_id": "m", "customer_id": "b", "channel": "email", "state": "accepted", "sent_at": at("06-20"),
          "day": dt.date(2024, 6, 20), "opened_at": at("07-01 12:00")}  # fmt: skip
VISIT = {"customer_id": None, "visitor": "v", "name": "Page Viewed", "occurred_at": at("06-20"),
         "day": dt.date(2024, 6, 20)}  # fmt: skip
SIGNED_IN = {**VISIT, "event_id": "2", "customer_id": "b", "day": dt.date(2024, 6, 1), "occurred_at": at("06-01")}
MOVED: dict[str, tuple[str, int, dict[str, list[Any]], dict[str, list[Any]]]] = {
    "somebody else with the address asks to stop": (
        "email_consent", 0, {"customers": [mail("a"), mail("b")]},
        {"customers": [mail("a", email_optout_at=at("03-01")), mail("b")]},
    ),
    "a decision on the address, under no key": (
        "email_consent", 0, {"customers": [mail("a"), mail("b")]},
        {"consents": [{"consent_id": "1", "email": "x@example.com", "channel": "email", "state": "withdrawn",
                       "decided_at": at("03-01")}]},
    ),
    "an order leaves the last 90 days": ("orders_90d", 1, {"orders": [order("1", "b", "04-02")]}, {}),
    "a visit leaves the last 7 days": (
        "visits_7d", 1, {"events": [{**VISIT, "event_id": "1", "customer_id": "b", "day": dt.date(2024, 6, 24),
                                     "occurred_at": at("06-24")}]}, {},
    ),
    "the order of a return is cancelled": (
        "returned_revenue", 0, {"orders": [order("1", "a", "01-01")], "returns": [RETURN]},
        {"orders": [order("1", "a", "01-01", cancelled_at=at("01-02"))]},
    ),
    "a message is opened on the day that has come": ("opened_90d", 1, {"messages": [OPENED]}, {}),
    "a cancellation comes into force": (
        "orders", 1, {"orders": [order("1", "b", "01-01", cancelled_at=at("07-01 12:00"))]}, {},
    ),
    "a line of an order is another product": (
        "favourite_product", 0,
        {"orders": [order("1", "b", "01-01")], "order_lines": [{**LINE, "product_id": "p"}]},
        {"order_lines": [{**LINE, "product_id": "q"}]},
    ),
    "a product is put into another category": (
        "favourite_category", 0,
        {"orders": [order("1", "b", "01-01")], "order_lines": [{**LINE, "product_id": "p"}],
         "products": [{"product_id": "p", "category": "x"}]},
        {"products": [{"product_id": "p", "category": "y"}]},
    ),
    "somebody else signs in on the device": (
        "days_since_last_visit", 0, {"events": [{**VISIT, "event_id": "1"}, SIGNED_IN]},
        {"events": [{**VISIT, "event_id": "1"}, SIGNED_IN, {**SIGNED_IN, "event_id": "3", "customer_id": "a"}]},
    ),
    "a birthday": ("age", 1, {"customers": [{"customer_id": "b", "birth_date": dt.date(1990, 7, 1)}]}, {}),
    "a subscription ends": (
        "subscription", 1,
        {"subscriptions": [{"subscription_id": "s", "customer_id": "b", "started_at": at("01-01"), "amount": 1,
                            "period_months": 1, "ended_at": at("07-01 12:00")}]}, {},
    ),
    "a first subscription": (
        "subscription", 0, {},
        {"subscriptions": [{"subscription_id": "s", "customer_id": "b", "started_at": at("01-01"), "amount": 1,
                            "period_months": 1}]},
    ),
}  # fmt: skip
"""What moves a trait of customer b: the trait, days that pass, the facts at first, the tables that are others then."""


KEYS = ("customer_id", "order_id", "document_id", "email", "visitor", "event_id", "product_id", "message_id",
        "return_id", "consent_id", "subscription_id")  # fmt: skip


def together(number: int, facts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The facts under keys of their own, so that many stories fit into one shop."""
    return {
        table: [{k: f"{number}-{v}" if k in KEYS and v is not None else v for k, v in row.items()} for row in rows]
        for table, rows in facts.items()
    }


@pytest.mark.parametrize("days", [0, 1])
def test_what_moves_a_trait_is_news(days: int, reader_over: Callable[..., Reader], tmp_path: Path) -> None:
    scope = Scope(dt.date(2024, 7, 1), "USD", "UTC")
    later = scope.at(scope.as_of + dt.timedelta(days=days))
    stories = {what: told for what, told in MOVED.items() if told[1] == days}
    first: dict[str, list[Any]] = {"customers": []}
    then: dict[str, list[Any]] = {"customers": []}
    for number, (_trait, _days, before, after) in enumerate(stories.values()):
        own = together(number, {"customers": [{"customer_id": "b"}], **before})
        for into, facts in ((first, own), (then, {**own, **together(number, after)})):
            for table, rows in facts.items():
                into.setdefault(table, []).extend(rows)
    files = {table: put_down(tmp_path, table, rows) for table, rows in first.items()}
    now = [
        files[table] if rows == first.get(table) else put_down(tmp_path, table, rows) for table, rows in then.items()
    ]
    kept = keep_traits(reader_over(list(files.values())), tmp_path, scope)
    known = {row["customer_id"]: row for row in everything(reader_over(list(files.values())), scope)}
    expected = everything(reader_over(now), later)
    for number, (what, (trait, *_rest)) in enumerate(stories.items()):
        moved = next((row[trait] for row in expected if row["customer_id"] == f"{number}-b"), None)
        assert known[f"{number}-b"][trait] != moved, f"{what}: something has moved"
    reader = reader_over([*now, kept])
    before_ = Before(scope.as_of, list(files.values()))
    assert find_news(reader, before_, later) is not None
    found = {row["customer_id"]: row for row in everything(reader, later, renewed(reader, before_, later))}
    assert found.keys() == {row["customer_id"] for row in expected}
    other = [(row["customer_id"], n, found[row["customer_id"]][n], row[n]) for row in expected for n in row
             if found[row["customer_id"]][n] != row[n]]  # fmt: skip
    assert other == []
