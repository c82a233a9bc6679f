"""Klaviyo's profiles: consents by channel, with and without a time."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

Row = dict[str, str]
COLUMNS = [
    "Email", "Klaviyo ID", "First Name", "Last Name", "Organization", "Title", "Phone Number", "Address", "Address 2",
    "City", "State / Region", "Country", "Zip Code", "Latitude", "Longitude", "Source", "IP Address",
    "Email Marketing Consent", "Email Marketing Consent Timestamp", "SMS Marketing Consent",
    "SMS Marketing Consent Timestamp", "Historic Customer Lifetime Value", "First Active", "Last Active",
    "Profile Created On", "Date Added", "Last Open", "Last Click", "Email Suppressions",
]  # fmt: skip
SITI = {
    "Email": "Siti@Example.com", "Klaviyo ID": "01ABC", "First Name": "Siti", "Last Name": "Rahma",
    "Phone Number": "+6281234567890", "City": "Bandung", "Country": "Indonesia", "Source": "Formulir situs",
    "Email Marketing Consent": "SUBSCRIBED", "Email Marketing Consent Timestamp": "2024-01-05 18:45:10",
    "SMS Marketing Consent": "SUBSCRIBED", "SMS Marketing Consent Timestamp": "2024-01-06 01:00:00",
    "Last Active": "2024-06-01 02:00:00", "Profile Created On": "2023-12-31 20:00:00",
    "Date Added": "2024-01-02 00:00:00",
}  # fmt: skip


def imported(shop: Shop, tmp_path: Path, *rows: Row) -> Any:
    path = tmp_path / "Newsletter members.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return shop.import_files([path])


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{text}+00:00")


def test_a_profile_with_consent_by_mail_and_by_text(shop: Shop, tmp_path: Path) -> None:
    imported(shop, tmp_path, SITI)
    siti = shop.identity.customer_id("siti@example.com")
    columns = "customer_id, email, phone, name, city, country, created_at, email_consent_at, email_optout_at"
    assert ask(shop, f"select {columns} from customers") == [
        (siti, "siti@example.com", "+6281234567890", "Siti Rahma", "Bandung", "Indonesia", utc("2023-12-31 20:00:00"),
         utc("2024-01-05 18:45:10"), None)
    ]  # fmt: skip
    columns = "consent_id, customer_id, email, phone, channel, purpose, state, source, wording, decided_at"
    about = (siti, "siti@example.com", "+6281234567890")
    assert ask(shop, f"select {columns} from consents order by channel") == [
        ("klaviyo:01ABC:email:given", *about, "email", "marketing", "given", "Klaviyo: Formulir situs", None,
         utc("2024-01-05 18:45:10")),
        ("klaviyo:01ABC:sms:given", *about, "sms", "marketing", "given", "Klaviyo: Formulir situs", None,
         utc("2024-01-06 01:00:00")),
    ]  # fmt: skip
    assert imported(shop, tmp_path, SITI).snapshot is None


BARE = {**SITI, "SMS Marketing Consent": "NEVER_SUBSCRIBED"}


@pytest.mark.parametrize(
    ("cells", "state", "when"),
    [
        # No time of its own: when the profile joined the list, else when it was made.
        ({"Email Marketing Consent Timestamp": ""}, "given", "2024-01-02 00:00:00"),
        ({"Email Marketing Consent Timestamp": "", "Date Added": ""}, "given", "2023-12-31 20:00:00"),
        ({"Email Marketing Consent": "UNSUBSCRIBED"}, "withdrawn", "2024-01-05 18:45:10"),
        # An opt-out is never lost: it is as young as the last sign of the profile.
        (
            {"Email Marketing Consent": "UNSUBSCRIBED", "Email Marketing Consent Timestamp": ""},
            "withdrawn",
            "2024-06-01 02:00:00",
        ),
        (
            {"Email Suppressions": "SPAM_COMPLAINT", "Email Marketing Consent Timestamp": ""},
            "withdrawn",
            "2024-06-01 02:00:00",
        ),
        # A bounce is nobody's decision.
        ({"Email Suppressions": "HARD_BOUNCE"}, "given", "2024-01-05 18:45:10"),
    ],
)
def test_what_was_decided_and_when(shop: Shop, tmp_path: Path, cells: Row, state: str, when: str) -> None:
    imported(shop, tmp_path, {**BARE, **cells})
    assert ask(shop, "select channel, state, decided_at from consents") == [("email", state, utc(when))]
    consent, optout = ask(shop, "select email_consent_at, email_optout_at from customers")[0]
    assert (consent, optout) == ((utc(when), None) if state == "given" else (None, utc(when)))


def test_who_never_subscribed_gave_no_consent(shop: Shop, tmp_path: Path) -> None:
    imported(shop, tmp_path, {**BARE, "Email Marketing Consent": "NEVER_SUBSCRIBED"})
    assert ask(shop, "select * from consents") == []
    assert ask(shop, "select email, email_consent_at, email_optout_at from customers") == [
        ("siti@example.com", None, None)
    ]


def test_a_profile_with_a_number_alone(shop: Shop, tmp_path: Path) -> None:
    imported(shop, tmp_path, {**SITI, "Email": "", "Email Marketing Consent": "NEVER_SUBSCRIBED"})
    assert ask(shop, "select email, phone, channel, state from consents") == [(None, "+6281234567890", "sms", "given")]
    ((customer, phone),) = ask(shop, "select customer_id, phone from customers")
    assert (phone, "81234567890" in customer) == ("+6281234567890", False)


def test_agreeing_and_leaving_later_are_both_kept(shop: Shop, tmp_path: Path) -> None:
    imported(shop, tmp_path, BARE)
    left = {"Email Marketing Consent": "UNSUBSCRIBED", "Email Marketing Consent Timestamp": "2024-07-01 00:00:00"}
    imported(shop, tmp_path, {**BARE, **left})
    assert ask(shop, "select state, decided_at from consents order by decided_at") == [
        ("given", utc("2024-01-05 18:45:10")),
        ("withdrawn", utc("2024-07-01 00:00:00")),
    ]
