"""Events of visitors: Segment's calls, its warehouse tables, and Google Analytics 4."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

Call = dict[str, Any]
EVENTS = "select event_id, customer_id, name, occurred_at, day, product_id from events order by event_id"


def track(n: int, event: str, properties: Call | None = None, **more: Any) -> Call:
    """A track call as Segment's libraries send it."""
    return {
        "type": "track", "messageId": f"msg-{n}", "event": event, "anonymousId": "anon-1", "userId": None,
        "timestamp": f"2024-05-01T17:30:{n:02}.276Z", "originalTimestamp": f"2024-05-01T17:30:{n:02}.200Z",
        "sentAt": f"2024-05-01T17:31:{n:02}.000Z", "receivedAt": f"2024-05-01T17:31:{n:02}.500Z",
        "context": {"ip": "192.0.2.1", "library": {"name": "analytics.js", "version": "2.11.1"}},
        "properties": properties or {}, **more,
    }  # fmt: skip


def identify(n: int, user: str, traits: Call, **more: Any) -> Call:
    call = track(n, "", traits=traits, **{"userId": user, **more})
    return {key: value for key, value in call.items() if key not in ("event", "properties")} | {"type": "identify"}


def json_lines(path: Path, calls: Sequence[Call]) -> Path:
    path.write_text("".join(json.dumps(call) + "\n" for call in calls), encoding="utf-8")
    return path


def json_array(path: Path, calls: Sequence[Call]) -> Path:
    path.write_text(json.dumps(calls, indent=1), encoding="utf-8")
    return path


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def json_batch(path: Path, calls: Sequence[Call]) -> Path:
    path.write_text(json.dumps({"batch": calls, "sentAt": "2024-05-01T17:31:00.000Z"}), encoding="utf-8")
    return path


@pytest.mark.parametrize("write", [json_lines, json_array, json_batch])
def test_calls_of_a_visitor_who_says_who_he_is(shop: Shop, tmp_path: Path, write: Callable[..., Path]) -> None:
    calls = [
        track(1, "Product Viewed", {"product_id": "KG-250", "name": "Kopi Gayo", "price": 85000}),
        identify(2, "user-7", {"email": "Siti@Example.com", "firstName": "Siti", "lastName": "Rahma",
                               "createdAt": "2024-01-01T00:00:00Z", "address": {"city": "Bandung", "country": "ID"}}),
        track(3, "Product Added", {"product_id": "KG-250", "quantity": 2}, userId="user-7"),
        {**track(4, "", {"path": "/kopi"}), "type": "page", "name": "Kopi"},
        {**track(5, ""), "type": "group", "groupId": "g1"},
        track(6, "Product Viewed", {"sku": "TM-1"}, anonymousId="anon-2"),
    ]  # fmt: skip
    file = write(tmp_path / "events.json", calls)
    report = shop.import_files([file])

    assert report.files[0].rejected == 0
    day = dt.date(2024, 5, 2)  # In Jakarta.
    assert ask(shop, EVENTS) == [
        ("segment:msg-1", "user-7", "Product Viewed", at("2024-05-01T17:30:01.276+00:00"), day, "KG-250"),
        ("segment:msg-3", "user-7", "Product Added", at("2024-05-01T17:30:03.276+00:00"), day, "KG-250"),
        ("segment:msg-4", "user-7", "Page Viewed", at("2024-05-01T17:30:04.276+00:00"), day, None),
        ("segment:msg-6", None, "Product Viewed", at("2024-05-01T17:30:06.276+00:00"), day, None),
    ]
    assert json.loads(ask(shop, "select properties from events where event_id = 'segment:msg-3'")[0][0]) == {
        "product_id": "KG-250", "quantity": 2,
    }  # fmt: skip
    assert ask(shop, "select customer_id, email, name, city, country, created_at from customers") == [
        ("user-7", "siti@example.com", "Siti Rahma", "Bandung", "ID", at("2024-01-01T00:00:00+00:00"))
    ]
    assert shop.import_files([file]).snapshot is None


def test_a_device_of_two_people_tells_nothing_of_nameless_calls(shop: Shop, tmp_path: Path) -> None:
    calls = [
        track(1, "Product Viewed"),
        track(2, "Product Viewed", userId="siti"),
        track(3, "Product Viewed", userId="budi"),
    ]
    shop.import_files([json_lines(tmp_path / "events.jsonl", calls)])
    assert [row[1] for row in ask(shop, EVENTS)] == [None, "siti", "budi"]


def test_an_erased_person_takes_all_visits_along(shop: Shop, tmp_path: Path) -> None:
    calls = [track(1, "Product Viewed"), track(2, "Product Added", userId="siti"), track(3, "Search", anonymousId="b")]
    file = json_lines(tmp_path / "events.jsonl", calls)
    shop.import_files([file])
    shop.erase("siti")
    assert [row[0] for row in ask(shop, EVENTS)] == ["segment:msg-3"]
    assert shop.import_files([file]).snapshot is None
    assert [row[0] for row in ask(shop, EVENTS)] == ["segment:msg-3"]


def test_the_last_that_is_said_of_a_person_counts(shop: Shop, tmp_path: Path) -> None:
    calls = [
        identify(1, "u1", {"email": "zahra@example.com", "name": "Zahra", "phone": "+6281200000001"}),
        identify(3, "u1", {"name": "Aminah"}),
        identify(2, "u1", {"name": "Yusuf"}),
    ]
    shop.import_files([json_lines(tmp_path / "events.jsonl", calls)])
    assert ask(shop, "select customer_id, email, name, phone from customers") == [
        ("u1", "zahra@example.com", "Aminah", "+6281200000001")
    ]


def test_an_address_stands_in_for_a_user(shop: Shop, tmp_path: Path) -> None:
    context = {"traits": {"email": "Siti@Example.com"}}
    calls = [
        track(1, "Product Viewed", context=context),
        track(2, "Product Viewed", userId="siti@example.com", anonymousId="anon-9"),
    ]
    shop.import_files([json_lines(tmp_path / "events.jsonl", calls)])
    siti = shop.identity.customer_id("siti@example.com")
    assert [row[1] for row in ask(shop, EVENTS)] == [siti, siti]


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36"


def test_where_a_visit_took_place(shop: Shop, tmp_path: Path) -> None:
    places = [
        {"userAgent": WINDOWS, "library": {"name": "analytics.js"}},
        {"userAgent": IPHONE, "library": {"name": "analytics.js"}},
        {"userAgent": IPAD, "library": {"name": "analytics.js"}},
        {"library": {"name": "analytics-android"}, "device": {"type": "android"}},
        {"userAgent": "toko/4.1 CFNetwork/1494", "library": {"name": "analytics-ios"}, "device": {"type": "ios"}},
        {"library": {"name": "analytics-ruby"}},
    ]
    calls = [track(n, "Page Viewed", context=place) for n, place in enumerate(places)]
    shop.import_files([json_lines(tmp_path / "events.jsonl", calls)])
    assert ask(shop, "select visitor, device, platform from events order by event_id") == [
        ("anon-1", "desktop", "web"), ("anon-1", "mobile", "web"), ("anon-1", "tablet", "web"),
        ("anon-1", "mobile", "app"), ("anon-1", "mobile", "app"), ("anon-1", None, None),
    ]  # fmt: skip


def test_the_events_of_a_warehouse(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "tracks.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([
            ["id", "anonymous_id", "user_id", "event", "event_text", "received_at", "sent_at", "original_timestamp",
             "timestamp", "uuid_ts", "context_library_name"],
            ["ajs-1", "anon-1", "", "product_viewed", "Product Viewed", "2024-05-01 10:00:02.1", "2024-05-01 10:00:01",
             "2024-05-01 10:00:00.9", "2024-05-01 10:00:00.5", "2024-05-01 10:05:00", "analytics.js"],
            ["ajs-2", "anon-1", "user-7", "order_completed", "Order Completed", "2024-05-01 11:00:02", "", "", "", "",
             ""],
        ])  # fmt: skip
    shop.import_files([path])
    assert [row[:4] for row in ask(shop, EVENTS)] == [
        ("segment:ajs-1", "user-7", "Product Viewed", at("2024-05-01T10:00:00.5+00:00")),
        ("segment:ajs-2", "user-7", "Order Completed", at("2024-05-01T11:00:02+00:00")),
    ]


def test_google_analytics(shop: Shop, tmp_path: Path) -> None:
    params = [{"key": "page_location", "value": {"string_value": "https://toko.example/kopi"}}]
    items = [{"item_id": "KG-250", "item_name": "Kopi Gayo"}, {"item_id": "TM-1"}]
    rows: list[Call] = [
        {"event_date": "20240501", "event_timestamp": "1714584601276000", "event_name": "view_item",
         "event_params": params, "event_bundle_sequence_id": "22", "user_id": None, "user_pseudo_id": "8d59.1",
         "items": items, "device": {"category": "mobile", "operating_system": "Android"}, "platform": "WEB"},
        {"event_date": "20240501", "event_timestamp": "1714584602000000", "event_name": "add_to_cart",
         "event_params": params, "event_bundle_sequence_id": "22", "user_id": "user-7", "user_pseudo_id": "8d59.1",
         "items": items[1:], "device": {"category": "tablet"}, "platform": "IOS"},
        {"event_date": "20240501", "event_timestamp": "1714584603000000", "event_name": "scroll",
         "event_params": params, "event_bundle_sequence_id": "23", "user_id": None, "user_pseudo_id": "8d59.1",
         "items": []},
    ]  # fmt: skip
    file = json_lines(tmp_path / "events_20240501.json", rows)
    shop.import_files([file])
    assert ask(shop, "select customer_id, name, occurred_at, day, product_id from events order by occurred_at") == [
        (None, "Product Viewed", at("2024-05-01T17:30:01.276+00:00"), dt.date(2024, 5, 2), "KG-250"),
        ("user-7", "Product Added", at("2024-05-01T17:30:02+00:00"), dt.date(2024, 5, 2), "TM-1"),
        (None, "scroll", at("2024-05-01T17:30:03+00:00"), dt.date(2024, 5, 2), None),
    ]
    assert ask(shop, "select visitor, device, platform from events order by occurred_at") == [
        ("8d59.1", "mobile", "web"), ("8d59.1", "tablet", "app"), ("8d59.1", None, None)
    ]  # fmt: skip
    assert [json.loads(row[0]) for row in ask(shop, "select properties from events")] == [params] * 3
    assert shop.import_files([file]).snapshot is None
