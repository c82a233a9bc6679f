"""Cards and back-tests in the store: what was predicted, to be held against what came."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select

from setia.predictions.backtest import Against, BackTest
from setia.predictions.outlook import Card
from setia.predictions.scoring import Score
from setia.predictions.tables import model_cards
from setia.store.database import Store


def keep_card(tx: Connection, as_of: dt.date, now: dt.datetime, card: Card) -> None:
    """Keep a refresh's card."""
    _keep(tx, "forecast", as_of, now, asdict(card))


def keep_backtest(store: Store, now: dt.datetime, found: BackTest) -> None:
    """Keep a back-test."""
    with store.begin() as tx:
        _keep(tx, "backtest", found.as_of, now, asdict(found))


def kept_backtest(store: Store, horizon: int, by: dt.date) -> BackTest | None:
    """The newest back-test over so many days that was made as of a day or before it."""
    with store.begin() as tx:
        rows = tx.execute(_newest("backtest", by))
        found = next((row.card for row in rows if row.card["horizon"] == horizon), None)
    return None if found is None else _backtest(found)


def kept_cards(store: Store, before: dt.date) -> list[tuple[dt.date, dict[str, Any]]]:
    """The cards of refreshes as of days before one, newest first; of several of one day the last one."""
    with store.begin() as tx:
        found: dict[dt.date, dict[str, Any]] = {}
        for row in tx.execute(_newest("forecast", before - dt.timedelta(days=1))):
            found.setdefault(row.as_of, row.card)
    return list(found.items())


def _keep(tx: Connection, kind: str, as_of: dt.date, now: dt.datetime, card: Any) -> None:
    card = json.loads(json.dumps(card, default=str))  # days as texts
    tx.execute(insert(model_cards).values(kind=kind, as_of=as_of, made_at=now, card=card))


def _newest(kind: str, by: dt.date) -> Any:
    cards = model_cards.c
    return (
        select(cards.as_of, cards.card)
        .where(cards.kind == kind, cards.as_of <= by)
        .order_by(cards.as_of.desc(), cards.id.desc())
        .limit(100)
    )


def _backtest(card: dict[str, Any]) -> BackTest:
    return BackTest(
        as_of=dt.date.fromisoformat(card["as_of"]),
        horizon=card["horizon"],
        scores=tuple(Score(**{**each, "day": dt.date.fromisoformat(each["day"])}) for each in card["scores"]),
        failed=card["failed"],
        ranking=tuple(card["ranking"]),
        correction=card["correction"],
        against=tuple(Against(**each) for each in card["against"]),
        calibration=tuple({**each, "day": dt.date.fromisoformat(each["day"])} for each in card["calibration"]),
    )
