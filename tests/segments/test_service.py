"""Segments of a shop: who came and went and why, of whom they are made, lists to take elsewhere."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from setia.kernel.spreadsheet import harmless
from setia.programmes.journeys.models import load
from setia.programmes.journeys.tables import enrolments, measurements, programme_versions, programmes
from setia.segments.audience import PLATFORMS, traces
from setia.segments.service import CannotWrite, UnknownColumn, UnknownPlatform

PEOPLE = """customer_id,email,phone,name,email_consent_at,email_optout_at
a,Ayu.Lestari+kopi@Gmail.com,+62 811-234-567,"=HYPERLINK(""http://x"")",2025-01-01T00:00:00Z,
b,budi@example.com,,Budi,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z
c,citra@example.com,,Citra,2025-01-01T00:00:00Z,
d,,,Dewi,,
"""
ORDERS = "order_id,customer_id,placed_at,total,channel\n" + "\n".join(
    f"{n}-{who},{who},2025-{n:02}-01,{total},{channel}"
    for who, total, channel in (("a", 100, "web"), ("b", 50, "web"), ("c", 20, "app"), ("d", 5, "app"))
    for n in range(7, 13)
)


def put(shop: Any, tmp_path: Any, name: str, text: str) -> None:
    (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    shop.import_files([tmp_path / f"{name}.csv"])


@pytest.fixture
def known(shop: Any, tmp_path: Any) -> Any:
    put(shop, tmp_path, "customers", PEOPLE)
    put(shop, tmp_path, "orders", ORDERS)
    (shop.folder / "segments").mkdir()
    (shop.folder / "segments" / "fresh.yaml").write_text(
        "condition: days_since_last_order < 20 and orders >= 2\n", encoding="utf-8"
    )
    shop.refresh()
    return shop


def size(shop: Any, name: str) -> dict[str, Any]:
    return next(row for row in shop.segments.sizes().to_pylist() if row["segment"] == name)


def test_who_came_and_went_and_why(known: Any, tmp_path: Any) -> None:
    first = size(known, "fresh")
    assert (first["customers"], first["entered"], first["left"]) == (4, None, None), "nothing to compare with yet"
    put(known, tmp_path, "orders", "order_id,customer_id,placed_at,total\n9-a,a,2026-01-05,30\n9-e,e,2026-01-05,30\n")
    put(known, tmp_path, "orders", "order_id,customer_id,placed_at,total\n8-e,e,2026-01-04,30\n")
    known.refresh()
    now = size(known, "fresh")
    assert (now["customers"], now["entered"], now["left"]) == (2, 1, 3)
    assert now["left_because"] == "days_since_last_order < 20"
    assert known.segments.moves("fresh").to_pylist() == [
        *({"customer_id": who, "moved": "left", "is_new": False,
           "because": "no longer days_since_last_order < 20 (days_since_last_order 0 → 35)"} for who in "bcd"),
        {"customer_id": "e", "moved": "entered", "is_new": True,
         "because": "days_since_last_order < 20 (days_since_last_order – → 0); orders >= 2 (orders – → 2)"},
    ]  # fmt: skip
    # Another condition under the same name has no past.
    (known.folder / "segments" / "fresh.yaml").write_text("condition: days_since_last_order < 40\n", encoding="utf-8")
    known.refresh()
    assert size(known, "fresh")["entered"] is None
    assert known.segments.moves("fresh").num_rows == 0


def test_of_whom_it_is_made(known: Any) -> None:
    rows = known.segments.composition("big_spenders").to_pylist()
    channels = [row for row in rows if row["trait"] == "favourite_channel"]
    assert channels == [
        {"trait": "favourite_channel", "value": "web", "customers": 1, "share": 1.0, "share_of_all": 0.5}
    ]
    assert known.segments.composition("birthday").num_rows == 0


def test_a_list_runs_nothing_in_a_spreadsheet(known: Any, tmp_path: Any) -> None:
    path, count = known.segments.export("fresh", columns=("name", "phone", "net_revenue", "stage"))
    assert path == known.folder / "exports" / "fresh.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert count == len(rows) == 4
    assert rows[0]["name"] == '\'=HYPERLINK("http://x")'
    assert rows[0]["phone"].startswith("'+62")
    assert rows[0]["net_revenue"] == "600.0000"
    with pytest.raises(UnknownColumn, match="Did you mean phone"):
        known.segments.export("fresh", tmp_path / "x.csv", ("fone",))
    assert not (tmp_path / "x.csv").exists()


@given(st.one_of(st.text(), st.floats(allow_nan=False), st.none(), st.integers()))
def test_what_is_harmless_begins_like_no_formula(cell: Any) -> None:
    made = harmless(cell)
    assert not isinstance(made, str) or made[:1] not in "=+-@\t\r" or made == ""
    assert made in (cell, f"'{cell}")


def programme(shop: Any, held_out: str) -> None:
    """A programme that is going on with one customer in its held-out group, and one that was stopped."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    document = load("win-back", shop.folder)[0].model_dump(mode="json")
    with shop.store.begin() as tx:
        for name, state, who in (("on", "running", held_out), ("over", "stopped", "a")):
            tx.execute(insert(programmes), {"name": name, "version": 1, "state": state, "measurement": f"{name}-1",
                                            "changed_at": now})  # fmt: skip
            tx.execute(insert(programme_versions), {"name": name, "version": 1, "document": document, "yaml": "",
                                                    "applied_at": now})  # fmt: skip
            tx.execute(insert(measurements), {"id": f"{name}-1", "programme": name, "salt": "s", "held_out_share": 0.5,
                                              "window_days": 30, "planned_total": 9, "expected_effect": 0.1,
                                              "started_at": now})  # fmt: skip
            tx.execute(insert(enrolments), {"programme": name, "version": 1, "measurement": f"{name}-1",
                                            "customer_id": who, "occurrence": 1, "arm": "held_out", "bucket": 1,
                                            "state": "active", "step": 0, "entered_at": now})  # fmt: skip


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_audience_leaves_out_whom_it_has_to(known: Any, tmp_path: Any) -> None:
    programme(known, "c")
    made = known.segments.audience("fresh", "google")
    assert (made.members, made.without_consent, made.held_out, made.without_identifier, made.listed) == (4, 2, 1, 0, 1)
    text = made.path.read_text(encoding="utf-8")
    assert text == f"Email,Phone\n{sha('ayulestari+kopi@gmail.com')},\n", "no consent on a telephone's channel"
    with pytest.raises(UnknownPlatform, match="meta, google, tiktok"):
        known.segments.audience("fresh", "myspace")
    keys_alone, _count = known.segments.export("fresh", columns=("orders",))
    kept, _count = known.segments.export("due_this_week", columns=("orders",))
    known.erase("a")
    assert not made.path.exists(), "a list with somebody who was erased goes"
    assert not keys_alone.exists()
    assert kept.exists()


def test_what_setia_itself_was_told_counts(known: Any) -> None:
    assert known.segments.audience("fresh", "meta").listed == 2
    known.opt_out("a")
    made = known.segments.audience("fresh", "meta")
    assert (made.without_consent, made.listed) == (3, 1)


def test_what_cannot_be_written_is_said(known: Any, tmp_path: Any) -> None:
    with pytest.raises(CannotWrite, match="cannot be written"):
        known.segments.export("fresh", tmp_path)


def test_as_each_platform_asks() -> None:
    email, phone = " Jane.Doe+x@Gmail.com ", "+1 (657) 777-0000"
    assert PLATFORMS["meta"].row(email, phone) == (sha("jane.doe+x@gmail.com"), sha("16577770000"))
    assert PLATFORMS["google"].row(email, phone) == (sha("janedoe+x@gmail.com"), sha("+16577770000"))
    assert PLATFORMS["tiktok"].row("janedoe@gmail.com", None) == (
        # As TikTok's own page on customer files prints it.
        "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69", "",
    )  # fmt: skip
    for name in PLATFORMS:
        assert set(PLATFORMS[name].row(email.strip(), phone)) <= traces(email.strip()) | traces(phone)
    assert PLATFORMS["meta"].row("", None) == ("", "")
