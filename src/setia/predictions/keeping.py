"""Cards and back-tests in the store: what was predicted, to be held against what came."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, select

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
    """The newest back-test over so many days that was made as of a day or before it, and that this Setia can read."""
    kept = _kept("backtest", by).where(model_cards.c.card["horizon"].as_integer() == horizon)
    with store.begin() as tx:
        found = tx.execute(kept.order_by(model_cards.c.as_of.desc(), model_cards.c.id.desc()).limit(1)).first()
    return None if found is None else _backtest(found.card)


def kept_cards(store: Store, before: dt.date, most: int = 100) -> list[tuple[dt.date, dict[str, Any]]]:
    """The cards of refreshes as of days before one, newest first; of several of one day the last one."""
    cards = model_cards.c
    last_of_each_day = select(func.max(cards.id)).where(cards.kind == "forecast").group_by(cards.as_of)
    wanted = _kept("forecast", before - dt.timedelta(days=1)).where(cards.id.in_(last_of_each_day))
    with store.begin() as tx:
        rows = tx.execute(wanted.order_by(cards.as_of.desc()).limit(most)).all()
    return [(row.as_of, row.card) for row in rows]


def newest_card(store: Store) -> tuple[dt.date, dict[str, Any]] | None:
    """The card of the last refresh, whatever day it was as of; None before the first one."""
    cards = model_cards.c
    last = select(cards.as_of, cards.card).where(cards.kind == "forecast").order_by(cards.id.desc()).limit(1)
    with store.begin() as tx:
        found = tx.execute(last).first()
    return None if found is None else (found.as_of, found.card)


def _kept(kind: str, by: dt.date) -> Any:
    cards = model_cards.c
    return select(cards.as_of, cards.card).where(cards.kind == kind, cards.as_of <= by)


def _keep(tx: Connection, kind: str, as_of: dt.date, now: dt.datetime, card: Any) -> None:
    card = json.loads(json.dumps(card, default=str, allow_nan=False))  # days as texts
    tx.execute(insert(model_cards).values(kind=kind, as_of=as_of, made_at=now, card=card))


def _backtest(card: dict[str, Any]) -> BackTest | None:
    try:
        return _read(card)
    except (KeyError, TypeError, ValueError):  # another version's, with other fields
        return None


def _read(card: dict[str, Any]) -> BackTest:
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
