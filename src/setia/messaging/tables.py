"""Every message that was ever planned, and every voucher code."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Numeric, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from setia.store.schema import instant, metadata

sends = Table(
    "sends",
    metadata,
    Column("id", Text, primary_key=True),
    Column("programme", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("offer", JSONB, nullable=False),
    Column("code", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    instant("planned_at", nullable=False),
    instant("not_before", nullable=False),
    instant("not_after", nullable=False),
    instant("attempted_at"),
    instant("settled_at"),
    Column("told", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("programme", "version", "step", "customer_id", "channel", "occurrence"),
)
"""The send ledger. `state`: planned, attempting, accepted, rejected, unknown, refused (by the gate, see `reason`).
`told`: copied to the fact table `messages`."""
Index("ix_sends_open", sends.c.not_before, postgresql_where=text("state = 'planned'"))
Index("ix_sends_customer", sends.c.customer_id, sends.c.attempted_at)

codes = Table(
    "codes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("send_id", Text, nullable=False, unique=True),
    Column("programme", Text, nullable=False),
    Column("customer_id", Text),
    Column("kind", Text, nullable=False),
    Column("value", Numeric(18, 4), nullable=False),
    Column("currency", Text, nullable=False),
    instant("made_at", nullable=False),
    instant("expires_at", nullable=False),
)
