"""What the store must know of a person to write to them: the only place in it that holds an address."""

from __future__ import annotations

from sqlalchemy import Column, Float, Table, Text

from setia.store.schema import instant, metadata

contacts = Table(
    "contacts",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("email", Text),
    Column("name", Text),
    Column("language", Text),
    instant("email_consent_at"),
    instant("email_optout_at"),
    instant("last_order_at"),
    Column("usual_gap_days", Float),
    Column("expected_order_value", Float),
    Column("worth", Float),
)
"""One row per customer while a programme is running, brought up to date by each refresh."""

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    instant("at", nullable=False),
)
"""Who asked to stop, or whose address does not take mail, as learned by Setia itself."""
