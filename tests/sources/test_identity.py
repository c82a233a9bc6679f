"""Addresses used as keys become pseudonyms; erased people do not come back with an old file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.app import Shop
from setia.warehouse.identity import Identity

LOG = """order,customer,date,amount,sku,quantity
1,Ani@Example.com,2026-01-02,10,tea,1
2,ani@example.com,2026-01-03,11,tea,1
3,budi,2026-01-04,12,tea,1
4,cici@example.com,2026-01-05,13,tea,1
C4,cici@example.com,2026-01-06,-13,tea,-1
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_an_address_as_key_becomes_a_pseudonym(shop: Shop, log: Path) -> None:
    shop.import_files([log])
    ani = shop.identity.customer_id("ANI@example.com")
    assert re.fullmatch("p-[0-9a-f]{20}", ani)
    found = shop.sql("select customer_id, email from customers order by email").to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (ani, "ani@example.com"), (shop.identity.customer_id("cici@example.com"), "cici@example.com"), ("budi", None),
    ]  # fmt: skip
    for table in ("orders", "order_lines", "returns"):
        keys = {row["customer_id"] for row in shop.sql(f"select customer_id from {table}").to_pylist()}
        assert not any("@" in key for key in keys)
    assert shop.sql(f"select count(*) n from orders where customer_id = '{ani}'").to_pylist() == [{"n": 2}]


@given(key=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30), at=st.booleans())
def test_python_and_sql_agree(key: str, at: bool) -> None:
    import duckdb

    identity = Identity("11" * 32, "22" * 32)
    # What is upper case where differs between Unicode versions beyond ASCII letters.
    value = "".join(c for c in key if c.isascii() or c == c.lower()) + ("@x.com" if at else "")
    sql = f"select {identity.customer_id_sql('k')}, {identity.fingerprint_sql('k')} from (select $1::varchar as k)"
    assert duckdb.execute(sql, [value]).fetchall() == [(identity.customer_id(value), identity.fingerprint(value))]


def test_the_keys_differ_between_installations(make_shop: type) -> None:
    one, other = make_shop(), make_shop()
    assert one.identity.customer_id("a@x.com") != other.identity.customer_id("a@x.com")


@pytest.mark.parametrize("identifier", ["ani@example.com", "budi"])
def test_an_erased_person_does_not_come_back(shop: Shop, log: Path, tmp_path: Path, identifier: str) -> None:
    shop.import_files([log])
    rows = {"ani@example.com": 2, "budi": 1}[identifier]
    before = shop.sql("select count(*) n from orders").to_pylist()[0]["n"]
    shop.erase(identifier)
    assert shop.sql("select count(*) n from orders").to_pylist()[0]["n"] == before - rows
    report = shop.import_files([log])
    assert (report.snapshot, report.files[0].erased, report.files[0].rows) == (None, rows, 5)
    key = shop.identity.customer_id(identifier)
    for table in ("customers", "orders", "order_lines"):
        assert shop.sql(f"select count(*) n from {table} where customer_id = '{key}'").to_pylist() == [{"n": 0}]
    # Nor by way of the native layout, nor beside a new order of somebody else.
    native = tmp_path / "customers.csv"
    native.write_text(f"customer_id,email\n{identifier},\nnew,x@example.com\n", encoding="utf-8")
    assert shop.import_files([native]).files[0].erased == 1
    assert {row["customer_id"] for row in shop.sql("select customer_id from customers").to_pylist()} >= {"new"}
