"""Who may be written to: the last decision on record, from whichever table it stands in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.app import Shop
from setia.history.consent import email_consent
from setia.settings import WarehouseSettings
from setia.warehouse import duck
from setia.warehouse.reader import Reader

DAYS = st.integers(1, 9)
DECISIONS = st.lists(st.tuples(st.sampled_from(["given", "withdrawn"]), DAYS), max_size=5, unique_by=lambda d: d[1])
OTHERS = st.sampled_from([("sms", "marketing"), ("email", "receipts"), ("whatsapp", None)])


def noon(day: int) -> dt.datetime:
    return dt.datetime(2026, 1, day, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("consent")
    return Reader(duck.connect(WarehouseSettings(memory="1GB"), folder), folder, [])


def reader_of(empty: Reader, columns: dict[str, int | None], decisions: list[tuple[Any, ...]]) -> Reader:
    given, withdrawn = (duck.literal(noon(d) if d else None) for d in (columns["given"], columns["withdrawn"]))
    empty.duck.execute(
        "create or replace view customers as select 'a' as customer_id, null::varchar as email, "
        f"{given}::timestamptz as email_consent_at, {withdrawn}::timestamptz as email_optout_at"
    )
    rows = ", ".join(f"('a', '{c}', {duck.literal(p)}, '{s}', {duck.literal(noon(d))})" for c, p, s, d in decisions)
    values = f"values {rows}" if rows else "select null, null, null, null, null::timestamptz where false"
    names = "customer_id, channel, purpose, state, decided_at"
    empty.duck.execute(
        f"create or replace view consents as select customer_id::varchar as customer_id, null::varchar as email, "
        "channel::varchar as channel, "
        f"purpose::varchar as purpose, state::varchar as state, decided_at from ({values}) as t({names})"
    )
    return empty


@settings(max_examples=60)
@given(
    columns=st.fixed_dictionaries({"given": st.none() | DAYS, "withdrawn": st.none() | DAYS}),
    decisions=DECISIONS,
    other=st.lists(OTHERS, max_size=2),
    until=st.none() | DAYS,
)
def test_the_last_decision_about_marketing_by_mail_holds(
    empty: Reader,
    columns: dict[str, int | None],
    decisions: list[tuple[str, int]],
    other: list[tuple[str, str | None]],
    until: int | None,
) -> None:
    """A withdrawal of the same moment wins; of what came later, and of other channels and purposes, nothing shows."""
    rows = [("email", "marketing" if day % 2 else None, state, day) for state, day in decisions]
    rows += [(channel, purpose, "withdrawn", 9) for channel, purpose in other]
    reader = reader_of(empty, columns, rows)
    found = reader.arrow(email_consent(reader, noon(until) if until else None)).to_pylist()
    told = [(day, state) for state, day in decisions] + [(day, state) for state, day in columns.items() if day]
    told = [(day, state) for day, state in told if until is None or day < until]
    if not told:
        assert found == []
        return
    ((_, given, withdrawn),) = [tuple(row.values()) for row in found]
    may_write = given is not None and withdrawn is None
    # "withdrawn" sorts behind "given".
    assert may_write == (max(told)[1] == "given")


def test_a_file_of_consents_opens_and_closes_the_gate(shop: Shop, tmp_path: Path) -> None:
    log = "order,customer,date,amount\n" + "".join(
        f"{n},{who}@example.com,2026-01-0{n},5\n" for n, who in enumerate("xab", 1)
    )
    (tmp_path / "log.csv").write_text(log)
    consents = "consent_id,customer_id,channel,purpose,state,source,wording,decided_at\n"
    consents += "1,a@example.com,email,marketing,given,checkout,Yes please,2026-01-02\n"
    consents += "2,b@example.com,email,marketing,given,checkout,Yes please,2026-01-02\n"
    consents += "3,b@example.com,email,marketing,withdrawn,mail,,2026-01-03\n"
    (tmp_path / "consents.csv").write_text(consents)
    shop.import_files([tmp_path / "log.csv", tmp_path / "consents.csv"])
    shop.refresh()
    found = shop.sql("select c.email, t.email_consent from traits t join customers c using (customer_id) order by 1")
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("a@example.com", True),
        ("b@example.com", False),
        ("x@example.com", False),
    ]
    held = shop.takeout("a@example.com")
    assert "Yes please" in str(held)
    shop.erase("a@example.com")
    assert shop.sql("select count(*) as n from consents where wording = 'Yes please'").to_pylist() == [{"n": 1}]


def test_a_withdrawal_holds_for_every_account_of_the_address(shop: Shop, tmp_path: Path) -> None:
    """One tool knows the person by a number of its own, another by the address."""
    head = "customer_id,email,name,email_consent_at,email_optout_at\n"
    (tmp_path / "customers.csv").write_text(
        head + "till-7,siti@example.com,Siti,2026-01-01,\nx,x@example.com,X,2026-01-01,\n"
    )
    consents = "consent_id,customer_id,email,channel,state,decided_at\n"
    consents += "1,siti@example.com,siti@example.com,email,withdrawn,2026-01-02\n"
    (tmp_path / "consents.csv").write_text(consents)
    shop.import_files([tmp_path / "customers.csv", tmp_path / "consents.csv"])
    shop.refresh(as_of=dt.date(2026, 2, 1))
    found = shop.sql("select customer_id, email_consent from traits order by 1").to_pylist()
    assert [tuple(row.values()) for row in found] == [("till-7", False), ("x", True)]
