"""What predictions leave behind: cards and back-tests, without any person in them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from setia.store.schema import instant, metadata

model_cards = Table(
    "model_cards",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    instant("made_at", nullable=False),
    Column("card", JSONB, nullable=False),
)
"""`kind`: forecast, the card of a refresh; backtest, all scores of one. They stay for good, to be held against what
came."""
Index("ix_model_cards_kind_as_of", model_cards.c.kind, model_cards.c.as_of)
