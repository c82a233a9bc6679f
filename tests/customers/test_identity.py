"""Who is who: what is certain, what is proposed, what a person decides, and that everything computed follows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from setia.customers import identity
from setia.customers.identity import Evidence, NoJoin
from setia.customers.tables import contacts, joins, opt_outs
from setia.messaging.ledger import opt_out
from setia.programmes.journeys.tables import enrolments

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def told(*rows: tuple[Any, ...]) -> dict[tuple[str, str], tuple[str, bool]]:
    """The evidence in a contact list."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table customers (customer_id varchar, email varchar, phone varchar, name varchar, birth_date date)"
        )
        for row in rows:
            connection.execute("insert into customers values (?, ?, ?, ?, ?)", [*row, *[None] * (5 - len(row))])
        return {(e.customer_id, e.other_id): (e.evidence, e.certain) for e in identity.evidence(connection)}


def test_the_same_address_is_certain():
    found = told(("a", "Ayu@Example.com"), ("b", "ayu@example.com"), ("c", "other@example.com"))
    assert found == {("a", "b"): ("email", True)}


def test_two_birthdays_are_two_people():
    one, other = dt.date(1990, 1, 1), dt.date(1991, 1, 1)
    assert told(("a", "x@example.com", None, "Ayu", one), ("b", "x@example.com", None, "Ayu", other)) == {
        ("a", "b"): ("email", False)
    }


@pytest.mark.parametrize(
    ("one", "other", "certain"),
    [
        ("Ayu Lestari", "ayu lestari", True),
        ("Ayu", "Ayu Lestari", True),
        ("Siti Nurhaliza", "NURHALIZA, SITI", True),
        ("José", "Jose", True),
        ("Ayu", "Budi", False),
        ("Ayu Lestari", "Ayu Wijaya", False),
        ("Ayu", "A.", False),
    ],
)
def test_a_telephone_is_certain_where_names_agree(one, other, certain):
    assert told(("a", None, "+62811", one), ("b", None, "+62811", other)) == {("a", "b"): ("phone", certain)}


def test_a_key_that_is_known_by_its_telephone_alone_is_its_owner():
    assert told(("a", "a@example.com", "+62811", "Ayu"), ("b", None, "+62811", None)) == {("a", "b"): ("phone", True)}


def test_an_address_that_many_share_says_nothing():
    many = [(f"k{n}", "till@example.com") for n in range(identity.MOST_SHARING + 1)]
    assert told(*many) == {}
    assert len(told(*many[:-1])) == identity.MOST_SHARING - 1


def test_names_with_birthdays_and_user_names_are_proposed():
    day = dt.date(1990, 2, 3)
    assert told(("a", None, None, "Ayu Lestari", day), ("b", None, None, "lestari ayu", day)) == {
        ("a", "b"): ("person", False)
    }
    assert told(("a", None, None, "Ayu", day), ("b", None, None, "Ayu", day)) == {}, "one name alone is many people's"
    assert told(("shopee:kopibudi", None), ("tiktok:kopibudi", None), ("x:abc", None), ("y:abc", None)) == {
        ("shopee:kopibudi", "tiktok:kopibudi"): ("user_name", False)
    }


# What is decided, in the store.


def persons(shop: Any, exposed: dict[str, dt.datetime] | None = None) -> dict[str, str]:
    with shop.store.begin() as tx:
        return identity.persons(tx, exposed or {})


def note(shop: Any, *pairs: tuple[str, str, str, bool]) -> None:
    with shop.store.begin() as tx:
        identity.note(tx, [Evidence(*pair) for pair in pairs], NOW)


def number(shop: Any, one: str, other: str) -> int:
    with shop.store.begin() as tx:
        found = tx.scalar(select(joins.c.id).where(joins.c.customer_id == one, joins.c.other_id == other))
        assert found is not None
        return found


def test_what_is_certain_holds_until_the_evidence_is_gone(shop):
    note(shop, ("a", "b", "email", True), ("b", "c", "phone", True), ("c", "d", "phone", False))
    assert persons(shop) == {"a": "a", "b": "a", "c": "a"}
    note(shop, ("a", "b", "email", True), ("c", "d", "phone", True))
    assert persons(shop) == {"a": "a", "b": "a", "c": "c", "d": "c"}
    assert {row["state"] for row in shop.customers.joins()} == {"joined", "lapsed"}


def test_a_person_decides(shop):
    note(shop, ("a", "b", "email", True), ("c", "d", "phone", False), ("e", "f", "phone", False))
    shop.customers.accept(number(shop, "c", "d"))
    shop.customers.refuse(number(shop, "e", "f"))
    shop.customers.undo(number(shop, "a", "b"))
    assert persons(shop) == {"c": "c", "d": "c"}
    # And the decision outlives what the facts go on saying.
    note(shop, ("a", "b", "email", True), ("e", "f", "phone", True))
    assert persons(shop) == {"c": "c", "d": "c"}
    with pytest.raises(NoJoin, match="can be refused"):
        shop.customers.refuse(number(shop, "c", "d"))
    with pytest.raises(NoJoin):
        shop.customers.accept(99)
    shop.customers.accept(number(shop, "a", "b"))
    assert persons(shop)["b"] == "a"


def test_what_is_kept_apart_stays_apart_by_every_way(shop):
    note(shop, ("a", "b", "email", True), ("a", "c", "email", True))
    shop.customers.undo(number(shop, "a", "c"))
    note(shop, ("a", "b", "email", True), ("a", "c", "email", True), ("b", "c", "phone", True))
    assert persons(shop) == {"a": "a", "b": "a"}


def test_the_person_is_known_by_the_key_that_was_first_in_a_measurement(shop):
    note(shop, ("p-1", "z", "email", True))
    assert persons(shop) == {"p-1": "z", "z": "z"}, "a key of the shop's own before a pseudonym"
    assert persons(shop, {"p-1": NOW}) == {"p-1": "p-1", "z": "p-1"}
    earlier = NOW - dt.timedelta(days=1)
    assert persons(shop, {"p-1": NOW, "z": earlier}) == {"p-1": "z", "z": "z"}


@given(
    edges=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20),
    apart=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5),
)
@settings(max_examples=200)
def test_groups_are_as_large_as_what_is_apart_lets_them(edges, apart):
    """Without anything apart they are the connected parts of the graph; nothing apart is ever in one group."""
    groups = identity._Groups((str(a), str(b)) for a, b in apart if a != b)
    for one, other in edges:
        groups.join(str(one), str(other))
    sets = groups.several()
    assert sum(map(len, sets)) == len(set().union(*sets)) if sets else True
    for one, other in apart:
        assert one == other or not any({str(one), str(other)} <= each for each in sets)
    if not apart:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ends = [(one, other) for one, other in edges if one != other]
        graph = coo_array(([1] * len(ends), tuple(zip(*ends, strict=True)) or ((), ())), shape=(10, 10))
        _count, part = connected_components(graph, directed=False)
        expected = [{str(n) for n in range(10) if part[n] == label} for label in set(part.tolist())]
        assert sorted(sorted(each) for each in expected if len(each) > 1) == sorted(map(sorted, sets))


# Everything computed follows.

ORDERS = """order_id,customer_id,placed_at,total
1,a,2026-01-01,100
2,b,2026-01-20,50
3,c,2026-02-01,10
"""
PEOPLE = """customer_id,email,phone,name,created_at,known_at
a,ayu@example.com,,Ayu,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z
b,ayu@example.com,+62811,,2025-06-01T00:00:00Z,2026-02-01T00:00:00Z
c,c@example.com,+62811,Citra,,
"""


def imported(shop: Any, tmp_path: Any) -> Any:
    for name, text in (("orders", ORDERS), ("customers", PEOPLE)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        shop.import_files([tmp_path / f"{name}.csv"])
    return shop


def traits(shop: Any) -> dict[str, dict[str, Any]]:
    return {row["customer_id"]: row for row in shop.customers.traits().to_pylist()}


def test_traits_metrics_and_sql_follow_and_come_back(shop, tmp_path):
    imported(shop, tmp_path).refresh()
    found = traits(shop)
    assert found.keys() == {"a", "c"}
    assert (found["a"]["orders"], found["a"]["net_revenue"], found["a"]["purchase_days"]) == (2, 150, 2)
    assert shop.sql("select customer_id, count(*) as n from orders group by 1 order by 1").to_pylist() == [
        {"customer_id": "a", "n": 2}, {"customer_id": "c", "n": 1},
    ]  # fmt: skip
    (ayu,) = shop.sql("select * from customers where customer_id = 'a'").to_pylist()
    assert (ayu["name"], ayu["phone"]) == ("Ayu", "+62811"), "each column as it was learned last"
    assert ayu["created_at"] == dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
    (proposed,) = shop.customers.joins("proposed")
    assert (proposed["customer_id"], proposed["other_id"], proposed["evidence"]) == ("b", "c", "phone")

    shop.customers.accept(proposed["id"])
    shop.refresh()
    assert traits(shop)["a"]["orders"] == 3
    assert shop.metrics.repeat_purchase(window_days=365).figures["customers"] == 1

    for join in shop.customers.joins("joined"):
        shop.customers.undo(join["id"])
    shop.refresh()
    assert {key: row["orders"] for key, row in traits(shop).items()} == {"a": 1, "b": 1, "c": 1}
    scratch = traits(shop)
    shop.refresh(from_scratch=True)
    assert traits(shop) == scratch


def test_an_older_snapshot_keeps_its_own_persons(shop, tmp_path):
    imported(shop, tmp_path)
    with shop.reading() as reader:
        assert reader.query("select count(distinct customer_id) as n from orders").to_pylist() == [{"n": 3}]
    before = 2
    shop.refresh()
    with shop.reading(before) as reader:
        assert reader.query("select count(distinct customer_id) as n from orders").to_pylist() == [{"n": 3}]


def enrolled(shop: Any, who: str, arm: str, at: dt.datetime) -> None:
    row = {
        "programme": "x", "version": 1, "measurement": "x-1", "customer_id": who, "occurrence": 1, "arm": arm,
        "bucket": 1, "state": "active", "step": 0, "entered_at": at,
    }  # fmt: skip
    with shop.store.begin() as tx:
        tx.execute(insert(enrolments), row)


def test_the_earlier_exposure_counts_and_the_other_journey_ends(shop, tmp_path):
    imported(shop, tmp_path)
    enrolled(shop, "a", "treated", NOW)
    enrolled(shop, "b", "held_out", NOW - dt.timedelta(days=3))
    with shop.store.begin() as tx:
        tx.execute(insert(contacts), [{"customer_id": "a"}, {"customer_id": "b"}])
        opt_out(tx, "a", "email", "asked", NOW)
    shop.refresh()
    with shop.store.begin() as tx:
        states = dict(tx.execute(select(enrolments.c.customer_id, enrolments.c.state)).all())
        known = set(tx.scalars(select(contacts.c.customer_id)))
        stopped = dict(tx.execute(select(opt_outs.c.customer_id, opt_outs.c.reason)).all())
    assert states == {"a": "stopped", "b": "active"}
    assert known == {"b"}
    assert stopped == {"a": "asked", "b": "same_person"}, "who asked to stop under one key has asked under all"
    exposures = shop.sql("select customer_id, arm from exposures").to_pylist()
    assert exposures == [{"customer_id": "b", "arm": "held_out"}]
    (joined,) = shop.customers.joins("joined")
    assert joined["note"] == "x-1: a was treated, b held_out; the earlier counts"

    shop.customers.undo(joined["id"])
    assert shop.sql("select count(*) as n from exposures").to_pylist() == [{"n": 2}]
    with shop.store.begin() as tx:
        assert set(tx.scalars(select(opt_outs.c.customer_id))) == {"a"}


def test_erasure_knows_all_keys_of_a_person(shop, tmp_path):
    imported(shop, tmp_path).refresh()
    assert set(shop.takeout("b")["identifiers"]) >= {"a", "b", "ayu@example.com"}
    shop.erase("b")
    assert shop.sql("select distinct customer_id from orders").to_pylist() == [{"customer_id": "c"}]
    assert [row for row in shop.customers.joins() if "a" in (row["customer_id"], row["other_id"])] == []
    with shop.reading(as_imported=True) as reader:
        assert reader.rows("same_person") == 0
