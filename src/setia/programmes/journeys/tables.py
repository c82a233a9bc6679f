"""Programmes, their versions and measurements, and who is where in them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Identity, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from setia.store.schema import instant, metadata

programmes = Table(
    "programmes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("measurement", Text, nullable=False),
    instant("changed_at", nullable=False),
)
"""`state`: running, paused, closed (nobody enters any more, those inside go on), stopped."""

programme_versions = Table(
    "programme_versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("yaml", Text, nullable=False),
    instant("applied_at", nullable=False),
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", Text, primary_key=True),
    Column("programme", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("held_out_share", Float, nullable=False),
    Column("window_days", Integer, nullable=False),
    Column("planned_total", Integer, nullable=False),
    Column("expected_effect", Float, nullable=False),
    instant("started_at", nullable=False),
)
"""Salt and shares; an edited text keeps its measurement, a new one draws anew."""

enrolments = Table(
    "enrolments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("programme", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("measurement", Text, nullable=False),
    Column("customer_id", Text),
    Column("occurrence", Integer, nullable=False),
    Column("arm", Text, nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Integer, nullable=False),
    instant("entered_at", nullable=False),
    instant("known_order_at"),
    instant("due_at"),
    instant("ended_at"),
    Column("told", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("measurement", "customer_id", "occurrence"),
)
"""`state`: active, ordered, finished, stopped. `step`: the next step, from 0. `told`: copied
to `exposures`. `known_order_at`: the latest order known at entry; any later one ends the journey."""
Index("ix_enrolments_due", enrolments.c.due_at, postgresql_where=text("state = 'active'"))
