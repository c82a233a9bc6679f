from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from setia.facts import FACTS, Kind
from setia.simulate import (
    ArrivedMail,
    HistoryMissing,
    HistoryWritten,
    ImpossibleSettings,
    PlannedMail,
    ShopSettings,
    SimulatedShop,
    UnknownCustomer,
    UnknownOffer,
)

Tables = dict[str, list[dict[str, str]]]
Read = Callable[[list[Path]], Tables]
SETTINGS = ShopSettings(seed=11, customers=900, weeks_of_history=50, effect=4.0)
TICKS = 4


def told(shop: SimulatedShop, folder: Path, read: Read) -> list[Tables]:
    """The history and some ticks; in each tick everybody gets a mail with a code."""
    tables = [read(shop.history(folder / "history"))]
    for week in range(TICKS):
        offer = [("percent", 15.0), ("free_shipping", 0.0), ("amount", 25.0), ("none", 0.0)][week]
        mails = [
            ArrivedMail(f"C{n:06d}", 1, shop.now, *offer, f"KEMBALI-{week}-{n}", shop.now + timedelta(days=3))
            for n in range(1, 901)
        ]
        tables.append(read(shop.tick(folder / str(week), mails)))
    return tables


@pytest.fixture(scope="module", params=["IDR", "MYR"])
def loop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, read: Read) -> list[Tables]:
    folder = tmp_path_factory.mktemp("loop")
    return told(
        SimulatedShop(ShopSettings(seed=11, customers=900, weeks_of_history=50, effect=4.0, currency=request.param)),
        folder,
        read,
    )


def merged(tables: list[Tables]) -> Tables:
    everything: Tables = defaultdict(list)
    for part in tables:
        for name, rows in part.items():
            everything[name].extend(rows)
    return everything


def test_headers_and_values_are_those_of_the_fact_tables(loop: list[Tables]) -> None:
    kinds = {
        Kind.INSTANT: re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00"),
        Kind.DAY: re.compile(r"\d{4}-\d\d-\d\d"),
        Kind.AMOUNT: re.compile(r"\d+(\.\d\d)?"),
        Kind.INTEGER: re.compile(r"\d+"),
        Kind.TEXT: re.compile(r".+"),
    }
    tables = merged(loop)
    expected = {"customers", "orders", "order_lines", "returns", "products", "events", "subscriptions", "answers"}
    assert set(tables) == expected | {"costs", "cases"}
    for name, rows in tables.items():
        fields = {field.name: field for field in FACTS[name].fields}
        missing = {field.name for field in fields.values() if field.required} - set(rows[0])
        assert not missing
        for row in rows:
            for column, value in row.items():
                if value or fields[column].required:
                    assert kinds[fields[column].kind].fullmatch(value), (name, column, value)


def test_every_total_is_goods_less_discount_plus_shipping(loop: list[Tables]) -> None:
    tables = merged(loop)
    goods: dict[str, Decimal] = defaultdict(Decimal)
    lines: Counter[str] = Counter()
    for line in tables["order_lines"]:
        assert Decimal(line["amount"]) == Decimal(line["quantity"]) * Decimal(line["unit_price"])
        goods[line["order_id"]] += Decimal(line["amount"])
        lines[line["order_id"]] += 1
    assert set(goods) == {order["order_id"] for order in tables["orders"]}
    assert set(lines.values()) == {1, 2, 3, 4}
    for order in tables["orders"]:
        total, discount, shipping = (Decimal(order[name]) for name in ("total", "discount", "shipping"))
        assert total == goods[order["order_id"]] - discount + shipping
        assert 0 <= discount <= goods[order["order_id"]]


def test_a_code_is_redeemed_until_it_expires(loop: list[Tables]) -> None:
    for week, tables in enumerate(loop[1:]):
        coded = [order for order in tables["orders"] if order["code"]]
        assert coded
        start = min(datetime.fromisoformat(cost["spent_at"]) for cost in tables["costs"]) - timedelta(hours=9)
        for order in coded:
            assert order["code"] == f"KEMBALI-{week}-{int(order['customer_id'][1:])}"
            assert datetime.fromisoformat(order["placed_at"]) < start + timedelta(days=3)
        discounts = {Decimal(order["discount"]) > 0 for order in coded}
        assert discounts == ({True} if week in (0, 2) else {False})
        if week == 1:
            assert {Decimal(order["shipping"]) for order in coded} == {0}
    for order in merged(loop)["orders"]:
        assert order["code"] or Decimal(order["discount"]) == 0


def test_nothing_comes_back_that_was_not_sold(loop: list[Tables]) -> None:
    tables = merged(loop)
    sold: dict[tuple[str, str], dict[str, str]] = {
        (line["order_id"], line["product_id"]): line for line in tables["order_lines"]
    }
    assert len(sold) == len(tables["order_lines"])
    assert 0.02 < len(tables["returns"]) / len(sold) < 0.06
    for back in tables["returns"]:
        line = sold[back["order_id"], back["product_id"]]
        assert Decimal(back["quantity"]) <= Decimal(line["quantity"])
        assert 0 <= Decimal(back["amount"]) <= Decimal(line["amount"])
        assert back["customer_id"] == line["customer_id"]
        assert datetime.fromisoformat(back["returned_at"]) > datetime.fromisoformat(line["placed_at"])


def test_everything_happens_inside_its_tick(loop: list[Tables]) -> None:
    happens = {
        "orders": "placed_at",
        "order_lines": "placed_at",
        "returns": "returned_at",
        "events": "occurred_at",
        "answers": "answered_at",
        "costs": "spent_at",
    }
    zone = datetime.fromisoformat("2025-01-06T00:00:00+07:00")
    edges = [zone, *(zone + timedelta(weeks=50 + week) for week in range(TICKS + 1))]
    for number, tables in enumerate(loop):
        start, end = edges[number], edges[number + 1]
        for name, column in happens.items():
            times = [datetime.fromisoformat(row[column]) for row in tables[name]]
            assert start <= min(times) and max(times) < end
            assert times == sorted(times)
        for row in tables["customers"]:
            known = [value for name, value in row.items() if name.endswith("_at") and value]
            assert any(start <= datetime.fromisoformat(value) < end for value in known)
            assert all(datetime.fromisoformat(value) < end for value in known)


def test_ids_are_unique_across_ticks(loop: list[Tables]) -> None:
    tables = merged(loop)
    for name, key in {
        "orders": "order_id",
        "returns": "return_id",
        "events": "event_id",
        "answers": "answer_id",
        "costs": "cost_id",
        "products": "product_id",
    }.items():
        assert max(Counter(row[key] for row in tables[name]).values()) == 1, name
    new = [row["customer_id"] for row in tables["customers"] if not row["email_optout_at"]]
    assert len(new) == len(set(new))


def test_nobody_acts_before_arriving(loop: list[Tables]) -> None:
    tables = merged(loop)
    arrived = {row["customer_id"]: datetime.fromisoformat(row["created_at"]) for row in tables["customers"]}
    assert len(arrived) > 900
    for name, column in {"orders": "placed_at", "events": "occurred_at", "subscriptions": "started_at"}.items():
        for row in tables[name]:
            if row["customer_id"]:  # visits of people nobody knows are nobody's
                assert datetime.fromisoformat(row[column]) >= arrived[row["customer_id"]]


def test_consent_opt_out_and_addresses(loop: list[Tables]) -> None:
    latest = {row["customer_id"]: row for row in merged(loop)["customers"]}
    rows = list(latest.values())
    agreed = [row for row in rows if row["email_consent_at"]]
    left = [row for row in rows if row["email_optout_at"]]
    assert 0.84 < len(agreed) / len(rows) < 0.92
    assert 0 < len(left) / len(agreed) < 0.06
    assert all(row["email_consent_at"] < row["email_optout_at"] for row in left)
    assert all(row["email_consent_at"] >= row["created_at"] and row["email"] for row in agreed)
    addresses = [row["email"] for row in rows if row["email"]]
    assert len(addresses) == len(set(addresses))
    assert all(re.fullmatch(r"[a-z]+\.\d+@example\.(com|org|net)", address) for address in addresses)


def test_only_the_reachable_react(loop: list[Tables]) -> None:
    latest = {row["customer_id"]: row for row in merged(loop)["customers"]}
    for tables in loop[1:]:
        for order in tables["orders"]:
            if order["code"]:
                row = latest[order["customer_id"]]
                assert row["email_consent_at"]
                assert not row["email_optout_at"] or row["email_optout_at"] >= "2025-12-22"


def test_subscriptions_are_told_as_they_change(loop: list[Tables]) -> None:
    rows = {(row["subscription_id"], row["started_at"]): row for row in merged(loop)["subscriptions"]}
    share = len({row["customer_id"] for row in rows.values()}) / 900
    assert 0.02 < share < 0.09
    by_subscription: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in sorted(rows.values(), key=lambda row: row["started_at"]):
        assert not row["ended_at"] or row["ended_at"] > row["started_at"]
        by_subscription[row["subscription_id"]].append(row)
    dearer = [pair for pair in by_subscription.values() if len(pair) == 2]
    assert dearer
    for before, after in dearer:
        assert before["ended_at"] == after["started_at"] == "2025-10-13T00:00:00+07:00"
        assert Decimal(before["amount"]) < Decimal(after["amount"])


def test_those_who_drop_out_score_lower(tmp_path: Path, read: Read) -> None:
    settings = ShopSettings(seed=2, customers=3000, answer_share=1.0, weekly_new_customers=0, events_per_order=0)
    shop = SimulatedShop(settings)
    tables = read(shop.history(tmp_path))
    orders = Counter(row["customer_id"] for row in tables["orders"])
    scores: dict[bool, list[int]] = {True: [], False: []}
    for row in tables["answers"]:
        last = row["answer_id"][1:] == f"{row['customer_id'][1:]}-{orders[row['customer_id']]}"
        scores[last].append(int(row["score"]))
    means = {last: sum(values) / len(values) for last, values in scores.items()}
    assert means[True] < means[False] - 1


def test_the_season_shows(tmp_path: Path, read: Read) -> None:
    shop = SimulatedShop(ShopSettings(seed=3, customers=6000, weeks_of_history=104, events_per_order=0))
    orders = Counter(date.fromisoformat(row["placed_at"][:10]) for row in read(shop.history(tmp_path))["orders"])
    usual = sum(orders[date(2025, 11, day)] for day in range(13, 25)) / 12
    assert 2.2 < orders[date(2025, 11, 11)] / usual < 3.8
    before = sum(orders[date(2025, 3, 22) + timedelta(days=k)] for k in range(6))
    during = sum(orders[date(2025, 3, 30) + timedelta(days=k)] for k in range(6))
    assert before > 2.5 * during
    hours = Counter(int(row["placed_at"][11:13]) for row in read([tmp_path / "orders.csv"])["orders"])
    assert sum(hours[hour] for hour in range(8, 23)) > 0.8 * sum(hours.values())


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, read: Read) -> None:
    for name in "ab":
        told(SimulatedShop(SETTINGS), tmp_path / name, read)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.csv"))
    assert len(files) > 30
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    other = SimulatedShop(ShopSettings(seed=12, customers=900, weeks_of_history=50))
    other.history(tmp_path / "c")
    assert (tmp_path / "c" / "orders.csv").read_bytes() != (tmp_path / "a" / "history" / "orders.csv").read_bytes()


def test_mailing_one_customer_changes_nobody_else(tmp_path: Path, read: Read) -> None:
    """Common random numbers: with an effect that cannot fail to show, only the mailed customer's rows differ."""
    settings = ShopSettings(seed=11, customers=300, weeks_of_history=40, effect=1000.0, responsiveness=(500.0, 0.5))
    told: dict[bool, list[tuple[str, ...]]] = {}
    for mailed in (False, True):
        shop = SimulatedShop(settings)
        shop.history(tmp_path / f"{mailed}")
        someone = next(f"C{n:06d}" for n in range(5, 301) if shop.reachable(f"C{n:06d}"))
        mail = ArrivedMail(someone, 1, shop.now, "none", 0, None, None)
        rows: list[tuple[str, ...]] = []
        for week in range(8):
            tables = read(shop.tick(tmp_path / f"{mailed}-{week}", [mail] if mailed and not week else []))
            rows.extend((name, *row.values()) for name, part in tables.items() for row in part)
        told[mailed] = rows
    changed = Counter(told[True]) - Counter(told[False]) + (Counter(told[False]) - Counter(told[True]))
    assert any(row[0] == "orders" for row in changed)
    assert all(someone in row for row in changed)


def test_days_may_be_cut_in_any_way(tmp_path: Path, read: Read) -> None:
    """Two weeks at once or day by day: the same orders, lines, returns and answers, reactions included."""
    kept = []
    for days in (1, 7, 14):
        shop = SimulatedShop(SETTINGS)
        shop.history(tmp_path / f"{days}")
        mails = [ArrivedMail(f"C{n:06d}", 1, shop.now, "gift", 0, None, None) for n in range(1, 901)]
        parts = []
        for number in range(14 // days):
            parts.append(read(shop.tick(tmp_path / f"{days}-{number}", [] if number else mails, days)))
        tables = merged(parts)
        kept.append({name: tables[name] for name in ("orders", "order_lines", "returns", "answers", "costs")})
    assert kept[0] == kept[1] == kept[2]


def test_the_clock(tmp_path: Path) -> None:
    shop = SimulatedShop(ShopSettings(seed=1, customers=50, weeks_of_history=10))
    with pytest.raises(HistoryMissing):
        shop.tick(tmp_path)
    shop.history(tmp_path)
    assert shop.now.isoformat() == "2025-03-17T00:00:00+07:00"
    shop.tick(tmp_path, days=3)
    assert shop.now.isoformat() == "2025-03-20T00:00:00+07:00"
    with pytest.raises(HistoryWritten):
        shop.history(tmp_path)


def test_a_dropped_out_customer_comes_back_by_a_mail(tmp_path: Path, read: Read) -> None:
    """Everybody drops out with the first order; whoever reacts buys on at the old rate, until the next order."""
    settings = ShopSettings(
        seed=5,
        customers=2000,
        weeks_of_history=20,
        effect=1000.0,
        drop_out=(1e6, 1e-3),
        buys_at_once=1.0,
        weekly_new_customers=0,
    )
    shop = SimulatedShop(settings)
    shop.history(tmp_path / "history")
    assert "orders" not in read(shop.tick(tmp_path / "quiet"))
    mails = [ArrivedMail(f"C{n:06d}", 1, shop.now, "none", 0, None, None) for n in range(1, 2001)]
    read(shop.tick(tmp_path / "mailed", mails))
    later: Counter[str] = Counter()
    for week in range(30):
        later.update(row["customer_id"] for row in read(shop.tick(tmp_path / f"{week}")).get("orders", []))
    assert len(later) > 500
    assert set(later.values()) == {1}


def test_bad_input_is_named(tmp_path: Path) -> None:
    shop = SimulatedShop(ShopSettings(seed=1, customers=50, weeks_of_history=10))
    shop.history(tmp_path)
    for key in ("C000000", "C1", "nobody", "C999999", ""):
        with pytest.raises(UnknownCustomer):
            shop.reachable(key)
    with pytest.raises(UnknownOffer, match="cake"):
        PlannedMail(0, 1, "cake", 1)
    for bad in ({"currency": "XAU"}, {"customers": 0}, {"effect": -1.0}, {"drop_out": (0.0, 1.0)}, {"return_share": 2}):
        with pytest.raises(ImpossibleSettings):
            ShopSettings(seed=1, **bad)
    with pytest.raises(ImpossibleSettings, match="address"):
        ShopSettings(seed=1, email_share=0.5)
