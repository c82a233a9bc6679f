"""What a refresh adds to customers, kept and taken away: recommendations, cards, back-tests, values, drift."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import pytest
from sqlalchemy import select

from setia.predictions import keeping
from setia.predictions.tables import model_cards

WHOLE = "[predictions]\n"


def lines(people: int = 60) -> str:
    """Order lines of customers who buy one of three things every three weeks or so, each once a filter first."""
    r = random.Random(3)
    rows = ["order_id,customer_id,placed_at,product_id,quantity,unit_price"]
    for who in range(people):
        day, number = dt.date(2025, 1, 6) + dt.timedelta(days=r.randrange(90)), 0
        while day < dt.date(2026, 2, 25) and r.random() > 0.05:
            what = "filter" if number == 0 else ("toraja", "gayo", "tea")[who % 3]
            rows.append(f"o{who}-{number},c{who:02},{day},{what},1,{50_000 + 1000 * (who % 7)}")
            number += 1
            day += dt.timedelta(days=r.randrange(18, 25))
    return "\n".join(rows)


@pytest.fixture
def shop(make_shop: Any, tmp_path: Any) -> Any:
    file = tmp_path / "lines.csv"
    file.write_text(lines(), encoding="utf-8")
    opened = make_shop(extra=WHOLE)
    opened.import_files([file])
    return opened


@pytest.mark.slow
def test_a_whole_refresh_and_what_stays_of_it(shop: Any) -> None:
    done = shop.refresh()
    assert done.card.reason is None
    assert done.card.model in shop.predictions.last_backtest().ranking
    found = {row["customer_id"]: row for row in shop.sql("from traits").to_pylist()}
    regular = [row for row in found.values() if row["subscribe_product"]]
    assert regular
    assert {row["subscribe_product"] for row in regular} <= {"toraja", "gayo", "tea"}
    assert all(row["subscribe_weeks"] in (2, 4) and row["subscribe_saving"] > 0 for row in regular)
    refills = [row for row in found.values() if row["refill_product"]]
    assert refills
    assert all(row["refill_day"] >= done.as_of for row in refills)
    assert any(row["risk_reason"] for row in found.values())
    _recommendations_follow_the_person(shop)
    _the_store_keeps_no_person(shop)
    _the_choice_is_used_again(shop)


def _recommendations_follow_the_person(shop: Any) -> None:
    """Each has some, takeout shows them, erasure takes them away; a refresh that looks for none leaves none."""
    assert shop.sql("select count(distinct customer_id) as n from recommendations").to_pylist()[0]["n"] >= 60
    assert shop.takeout("c07")["facts"]["recommendations"]
    shop.erase("c07")
    assert shop.sql("from recommendations where customer_id = 'c07'").num_rows == 0
    assert shop.sql("from recommendations").num_rows > 100
    whole = shop.settings
    shop.settings = whole.model_copy(update={"predictions": whole.predictions.model_copy(update={"products": False})})
    shop.refresh()
    assert shop.sql("from recommendations").num_rows == 0
    shop.settings = whole


def _the_store_keeps_no_person(shop: Any) -> None:
    with shop.store.begin() as tx:
        kept = [json.dumps(card) for card in tx.scalars(select(model_cards.c.card))]
    assert len(kept) >= 3, "a back-test and two cards"
    assert not [card for card in kept for who in range(60) if f"c{who:02}" in card]


def _the_choice_is_used_again(shop: Any) -> None:
    """Within four weeks the same back-test serves; a card is found under its day, the last one of each."""
    (as_of, card), *older = shop.predictions.cards()
    assert older == [], "two refreshes of one day"
    assert shop.predictions.card() == (as_of, card)
    with shop.store.begin() as tx:
        tests = tx.scalars(select(model_cards.c.id).where(model_cards.c.kind == "backtest")).all()
    assert len(tests) == 1
    kept = keeping.kept_backtest(shop.store, 90, as_of)
    assert kept == shop.predictions.last_backtest()
    assert keeping.kept_backtest(shop.store, 91, as_of) is None
    assert keeping.kept_backtest(shop.store, 90, as_of - dt.timedelta(days=1)) is None
    assert shop.predictions.drift() == [], "nothing is a week old"


def test_another_versions_back_test_is_made_anew(shop: Any) -> None:
    now = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    with shop.store.begin() as tx:
        strange = {"horizon": 90, "scores": [{"day": "2026-01-01", "wonder": 1}]}
        tx.execute(model_cards.insert().values(kind="backtest", as_of=dt.date(2026, 2, 1), made_at=now, card=strange))
    assert keeping.kept_backtest(shop.store, 90, dt.date(2026, 3, 1)) is None
