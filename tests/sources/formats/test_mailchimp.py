"""Mailchimp's audience export: who agreed, who left, whose mail bounces, who was never asked."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

Row = dict[str, str]
COMMON = [
    "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP", "GMTOFF", "DSTOFF", "TIMEZONE", "CC",
    "REGION",
]  # fmt: skip
OWN = ["Email Address", "First Name", "Last Name", "Phone Number", "SMS Phone Number", "SMS_MARKETING_STATUS"]
TAIL = ["LEID", "EUID", "NOTES", "TAGS"]
SUBSCRIBED = [*OWN, *COMMON, "LAST_CHANGED", *TAIL]
UNSUBSCRIBED = [
    *OWN, *COMMON, "UNSUB_TIME", "UNSUB_CAMPAIGN_TITLE", "UNSUB_CAMPAIGN_ID", "UNSUB_REASON", "UNSUB_REASON_OTHER",
    "LAST_CHANGED", *TAIL,
]  # fmt: skip
CLEANED = [*OWN, *COMMON, "CLEAN_TIME", "CLEAN_CAMPAIGN_TITLE", "CLEAN_CAMPAIGN_ID", "LAST_CHANGED", *TAIL]
SITI = {
    "Email Address": "Siti@Example.com", "First Name": "Siti", "Last Name": "Rahma", "Phone Number": "0812-3456-7890",
    "MEMBER_RATING": "4", "OPTIN_TIME": "2024-01-05 18:30:00", "OPTIN_IP": "192.0.2.10",
    "CONFIRM_TIME": "2024-01-05 18:45:10", "CONFIRM_IP": "192.0.2.10", "TIMEZONE": "asia/jakarta", "CC": "id",
    "LAST_CHANGED": "2024-02-01 03:00:00", "LEID": "55331253", "EUID": "89501affba", "TAGS": '"pelanggan","kopi"',
}  # fmt: skip
TAN = {
    "Email Address": "tan.weiling@example.com", "First Name": "Wei Ling", "Last Name": "Tan", "MEMBER_RATING": "2",
    "OPTIN_TIME": "", "CONFIRM_TIME": "2023-03-01 09:00:00", "LAST_CHANGED": "2024-02-03 10:00:00",
    "LEID": "55331257", "EUID": "c9b2705335",
}  # fmt: skip


def write(path: Path, columns: Sequence[str], *rows: Row) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{text}+00:00")


CONSENTS = "select consent_id, customer_id, email, channel, purpose, state, source, wording, decided_at from consents"


def test_subscribed_contacts_gave_their_consent(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "subscribed_email_audience_export_1a10653875.csv", SUBSCRIBED, SITI, TAN)
    shop.import_files([file])

    siti, tan = (shop.identity.customer_id(a) for a in ("siti@example.com", "tan.weiling@example.com"))
    columns = "customer_id, email, phone, name, created_at, email_consent_at, email_optout_at"
    assert ask(shop, f"select {columns} from customers order by email") == [
        (siti, "siti@example.com", "+6281234567890", "Siti Rahma", utc("2024-01-05 18:30:00"),
         utc("2024-01-05 18:45:10"), None),
        (tan, "tan.weiling@example.com", None, "Wei Ling Tan", utc("2023-03-01 09:00:00"),
         utc("2023-03-01 09:00:00"), None),
    ]  # fmt: skip
    assert ask(shop, f"{CONSENTS} order by email") == [
        ("mailchimp:89501affba:given", siti, "siti@example.com", "email", "marketing", "given", "Mailchimp", None,
         utc("2024-01-05 18:45:10")),
        ("mailchimp:c9b2705335:given", tan, "tan.weiling@example.com", "email", "marketing", "given", "Mailchimp",
         None, utc("2023-03-01 09:00:00")),
    ]  # fmt: skip
    assert shop.import_files([file]).snapshot is None


def test_who_left_had_agreed_before(shop: Shop, tmp_path: Path) -> None:
    gone = {**SITI, "UNSUB_TIME": "2024-05-03 10:00:00", "UNSUB_CAMPAIGN_TITLE": "Promo Lebaran", "UNSUB_REASON": "N/A"}
    shop.import_files([write(tmp_path / "unsubscribed_email_audience_export_1a10653875.csv", UNSUBSCRIBED, gone)])
    assert ask(shop, "select consent_id, state, source, decided_at from consents order by decided_at") == [
        ("mailchimp:89501affba:given", "given", "Mailchimp", utc("2024-01-05 18:45:10")),
        ("mailchimp:89501affba:withdrawn", "withdrawn", "Mailchimp: Promo Lebaran", utc("2024-05-03 10:00:00")),
    ]
    assert ask(shop, "select email_consent_at, email_optout_at from customers") == [
        (utc("2024-01-05 18:45:10"), utc("2024-05-03 10:00:00"))
    ]


def test_an_address_that_bounces_is_no_consent(shop: Shop, tmp_path: Path) -> None:
    bounced = {**SITI, "CLEAN_TIME": "2024-05-03 10:00:00", "CLEAN_CAMPAIGN_TITLE": "Promo Lebaran"}
    shop.import_files([write(tmp_path / "cleaned_email_audience_export_1a10653875.csv", CLEANED, bounced)])
    assert ask(shop, "select email, email_consent_at from customers") == [("siti@example.com", None)]
    assert ask(shop, CONSENTS) == []


@pytest.mark.parametrize(
    "name", ["nonsubscribed_email_audience_export_1a10653875.csv", "nonsubscribed_members_export_bb22.csv"]
)
def test_who_was_never_asked_gave_no_consent(shop: Shop, tmp_path: Path, name: str) -> None:
    shop.import_files([write(tmp_path / name, SUBSCRIBED, SITI)])
    assert ask(shop, "select email, email_consent_at from customers") == [("siti@example.com", None)]
    assert ask(shop, CONSENTS) == []


@pytest.mark.parametrize(("status", "state"), [("Subscribed", "given"), ("Unsubscribed", "withdrawn")])
def test_consent_to_text_messages_is_its_own(shop: Shop, tmp_path: Path, status: str, state: str) -> None:
    both = {**SITI, "SMS Phone Number": "'+6281399990000", "SMS_MARKETING_STATUS": status}
    neither = {**TAN, "SMS Phone Number": "+60123456789", "SMS_MARKETING_STATUS": "Non-subscribed"}
    shop.import_files([write(tmp_path / "subscribed_email_audience_export_2.csv", SUBSCRIBED, both, neither)])
    assert ask(shop, "select consent_id, phone, state, decided_at from consents where channel = 'sms'") == [
        ("mailchimp:89501affba:sms", "+6281399990000", state, utc("2024-02-01 03:00:00"))
    ]


def test_all_files_of_an_audience_in_one_go(shop: Shop, tmp_path: Path) -> None:
    aminah = {**TAN, "Email Address": "aminah@example.com", "EUID": "aa", "CLEAN_TIME": "2024-05-03 10:00:00"}
    budi = {**TAN, "Email Address": "budi@example.com", "EUID": "bb", "UNSUB_TIME": "2024-05-03 10:00:00"}
    files = [
        write(tmp_path / "subscribed_email_audience_export_3.csv", SUBSCRIBED, SITI),
        write(tmp_path / "unsubscribed_email_audience_export_3.csv", UNSUBSCRIBED, budi),
        write(tmp_path / "cleaned_email_audience_export_3.csv", CLEANED, aminah),
        write(tmp_path / "nonsubscribed_email_audience_export_3.csv", SUBSCRIBED, TAN),
    ]
    shop.import_files(files)
    assert ask(
        shop, "select email, email_consent_at is not null, email_optout_at is not null from customers order by 1"
    ) == [
        ("aminah@example.com", False, False),
        ("budi@example.com", True, True),
        ("siti@example.com", True, False),
        ("tan.weiling@example.com", False, False),
    ]
    assert ask(shop, "select email, state from consents order by all") == [
        ("budi@example.com", "given"),
        ("budi@example.com", "withdrawn"),
        ("siti@example.com", "given"),
    ]
    assert shop.import_files(files).snapshot is None


def test_a_row_without_an_address_is_rejected(shop: Shop, tmp_path: Path) -> None:
    broken = {**TAN, "Email Address": "not-an-address"}
    report = shop.import_files([write(tmp_path / "subscribed_members_export_1.csv", SUBSCRIBED, SITI, broken)])
    assert (report.files[0].rows, report.files[0].rejected) == (2, 1)
    assert ask(shop, "select count(*) from customers") == [(1,)]


def test_an_erased_person_does_not_come_back(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "subscribed_email_audience_export_4.csv", SUBSCRIBED, SITI, TAN)
    shop.import_files([file])
    shop.erase("siti@example.com")
    assert ask(shop, "select email from consents") == [("tan.weiling@example.com",)]
    report = shop.import_files([file])
    assert (report.snapshot, report.files[0].erased) == (None, 1)
    assert ask(shop, "select email from customers") == [("tan.weiling@example.com",)]
    assert ask(shop, "select email from consents") == [("tan.weiling@example.com",)]
