"""Who is who: what is certain, what is proposed, what a person decides, and that everything computed follows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from setia.customers import contacts as contact_rows
from setia.customers import identity
from setia.customers.identity import Evidence, KeptApart, NoJoin
from setia.customers.tables import contacts, joins
from setia.joining import let_hold
from setia.messaging.ledger import opt_out
from setia.programmes.journeys.tables import enrolments
from setia.store.database import Busy

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


def test_one_contradiction_makes_an_address_doubtful_for_all():
    """Somebody of whom nothing else is known does not make one person of two."""
    shared = "+62811"
    found = told(("a", None, shared, None), ("b", "b@x.com", shared, "Ani Wijaya"), ("c", "c@x.com", shared, "Budi"))
    assert {certain for _evidence, certain in found.values()} == {False}
    assert len(found) == 3
    one, other = dt.date(1960, 1, 1), dt.date(1990, 1, 1)
    rows = [("a", "x@x.com"), ("b", "x@x.com", None, None, one), ("c", "x@x.com", None, None, other)]
    assert {certain for _evidence, certain in told(*rows).values()} == {False}


def test_two_birthdays_do_not_come_together_by_way_of_a_third():
    one, other = dt.date(1960, 1, 1), dt.date(1990, 1, 1)
    found = told(
        ("a", "x@x.com", None, "Ani", one), ("b", "x@x.com", "+62811", "Ani"), ("c", None, "+62811", "Ani", other)
    )
    assert sorted(found.values()) == [("email", True), ("phone", False)]


def test_an_address_that_many_share_says_nothing():
    many = [(f"k{n}", "till@example.com") for n in range(identity.MOST_SHARING + 1)]
    assert told(*many) == {}
    assert len(told(*many[:-1])) == identity.MOST_SHARING * (identity.MOST_SHARING - 1) / 2


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
    with shop.store.begin() as tx:
        assert set(tx.scalars(select(joins.c.state))) == {"joined", "lapsed"}


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


def states(shop: Any) -> dict[tuple[str, str], str]:
    return {(row["customer_id"], row["other_id"]): row["state"] for row in shop.customers.joins()}


def test_what_cannot_be_is_refused_and_shown(shop):
    note(shop, ("a", "b", "email", True), ("a", "c", "phone", False), ("b", "c", "phone", False))
    shop.customers.refuse(number(shop, "a", "c"))
    assert states(shop) == {("a", "b"): "joined", ("a", "c"): "refused", ("b", "c"): "proposed"}
    # A person's word goes before a rule's, which is then in the way of what was refused.
    shop.customers.accept(number(shop, "b", "c"))
    assert persons(shop) == {"b": "b", "c": "b"}
    assert states(shop)["a", "b"] == "blocked"
    shop.customers.undo(number(shop, "b", "c"))
    assert states(shop)["a", "b"] == "joined"
    shop.customers.undo(number(shop, "a", "b"))
    shop.customers.accept(number(shop, "a", "b"))
    with pytest.raises(KeptApart, match="b and c cannot be one person"):
        shop.customers.accept(number(shop, "b", "c"))
    assert states(shop)["b", "c"] == "undone"


def test_a_decision_while_the_shop_is_busy_changes_nothing(shop):
    note(shop, ("a", "b", "phone", False))
    with shop.writing(), pytest.raises(Busy):
        shop.customers.accept(number(shop, "a", "b"))
    assert [row["state"] for row in shop.customers.joins()] == ["proposed"]


def test_many_joins(shop):
    """A chain of many keys is one person, and more of them than a statement takes are kept."""
    pairs = [(f"k{n:06}", f"k{n + 1:06}", "email", True) for n in range(20_000)]
    more = [(f"m{n}", f"n{n}", "email", True) for n in range(20_000)]
    note(shop, *pairs, *more)
    with shop.writing() as writer:
        assert let_hold(shop.store, writer, NOW) == 40_000
    with shop.reading() as reader:
        assert reader.rows("same_person") == 20_001 + 40_000


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


def test_a_person_is_found_by_an_address_that_does_not_show(shop, tmp_path):
    people = "customer_id,email,phone,name,known_at\na,old@example.com,+62811,Ayu,2025-01-01T00:00:00Z\n" \
             "b,new@example.com,+62811,Ayu,2025-02-01T00:00:00Z\n"  # fmt: skip
    (tmp_path / "customers.csv").write_text(people, encoding="utf-8")
    shop.import_files([tmp_path / "customers.csv"])
    shop.refresh()
    assert shop.customers.story("old@example.com").contact["email"] == "new@example.com"
    shop.opt_out("old@example.com")
    shop.erase("old@example.com")
    assert shop.sql("select count(*) as n from customers").to_pylist() == [{"n": 0}]


def enrolled(shop: Any, who: str, arm: str, at: dt.datetime, programme: str = "x") -> None:
    row = {
        "programme": programme, "version": 1, "measurement": f"{programme}-1", "customer_id": who, "occurrence": 1,
        "arm": arm, "bucket": 1, "state": "active", "step": 0, "entered_at": at,
    }  # fmt: skip
    with shop.store.begin() as tx:
        tx.execute(insert(enrolments), row)


def test_the_earlier_exposure_counts_and_the_other_journey_ends(shop, tmp_path):
    imported(shop, tmp_path)
    enrolled(shop, "a", "treated", NOW)
    enrolled(shop, "b", "held_out", NOW - dt.timedelta(days=3))
    enrolled(shop, "a", "treated", NOW, "y")
    shop.refresh()
    with shop.store.begin() as tx:
        e = enrolments.c
        states = {
            (row.customer_id, row.measurement): row.state
            for row in tx.execute(select(e.customer_id, e.measurement, e.state))
        }
    assert states == {("a", "x-1"): "stopped", ("b", "x-1"): "active", ("a", "y-1"): "active"}
    exposures = shop.sql("select customer_id, measurement, arm from exposures order by 2").to_pylist()
    assert exposures == [
        {"customer_id": "b", "measurement": "x-1", "arm": "held_out"},
        {"customer_id": "b", "measurement": "y-1", "arm": "treated"},
    ]
    (joined,) = shop.customers.joins("joined")
    assert joined["note"] == "x-1: a was treated, b held_out; the earlier counts"
    shop.customers.undo(joined["id"])
    assert shop.sql("select count(*) as n from exposures").to_pylist() == [{"n": 3}]


def test_programmes_write_to_the_person_under_whichever_key_they_entered(shop, tmp_path):
    imported(shop, tmp_path)
    enrolled(shop, "b", "treated", NOW)
    shop.refresh()
    with shop.reading() as reader, shop.store.begin() as tx:
        contact_rows.sync(tx, reader)
        known = {row.customer_id: row for row in tx.execute(select(contacts))}
    assert known.keys() == {"a", "b", "c"}
    assert known["a"].email == known["b"].email == "ayu@example.com"
    assert known["a"].last_order_at == known["b"].last_order_at


def test_who_asks_to_stop_under_one_key_has_asked_under_all(shop, tmp_path):
    imported(shop, tmp_path).refresh()
    with shop.store.begin() as tx:
        opt_out(tx, "a", "email", "asked", NOW)
        assert contact_rows.opted_out(tx) == {("a", "email"), ("b", "email")}
        assert set(tx.scalars(identity.keys_of(["a"]))) == {"a", "b"}
        assert set(tx.scalars(identity.keys_of(["c"]))) == set()


def test_a_consent_is_an_address_s(shop, tmp_path):
    """Of two addresses of a person the one that is shown counts; an opt-out of the other counts too."""
    people = """customer_id,email,phone,name,email_consent_at,email_optout_at,known_at
a,one@example.com,+62811,Ayu,2025-01-01T00:00:00Z,,2025-01-01T00:00:00Z
b,two@example.com,+62811,Ayu,,,2025-02-01T00:00:00Z
c,three@example.com,+62812,Budi,2025-01-01T00:00:00Z,,2025-02-01T00:00:00Z
d,four@example.com,+62812,Budi,,2025-03-01T00:00:00Z,2025-01-01T00:00:00Z
"""
    (tmp_path / "customers.csv").write_text(people, encoding="utf-8")
    shop.import_files([tmp_path / "customers.csv"])
    shop.refresh()
    found = shop.sql("select email, email_consent_at, email_optout_at from customers order by 1").to_pylist()
    assert [row["email"] for row in found] == ["three@example.com", "two@example.com"]
    assert found[0]["email_consent_at"] is not None
    assert found[0]["email_optout_at"] is not None
    assert found[1]["email_consent_at"] is None


def test_erasure_knows_all_keys_of_a_person(shop, tmp_path):
    imported(shop, tmp_path).refresh()
    held = shop.takeout("b")
    assert set(held["identifiers"]) >= {"a", "b", "ayu@example.com"}
    assert len(held["facts"]["customers"]) == 2
    assert len(held["store"]["joins"]) == 2
    shop.erase("b")
    assert shop.sql("select distinct customer_id from orders").to_pylist() == [{"customer_id": "c"}]
    assert [row for row in shop.customers.joins() if "a" in (row["customer_id"], row["other_id"])] == []
    with shop.reading(as_imported=True) as reader:
        assert reader.rows("same_person") == 0
