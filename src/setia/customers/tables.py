"""What the store must know of a person to write to them: the only place in it that holds an address."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Identity, Index, Table, Text, UniqueConstraint

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

joins = Table(
    "joins",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("other_id", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    instant("found_at", nullable=False),
    instant("decided_at"),
    Column("note", Text),
    UniqueConstraint("customer_id", "other_id"),
)
"""Pairs of keys that are one person, or may be. `state`: joined, proposed, refused, undone, lapsed (the evidence is
gone). `evidence`: email, phone, person (same name and birthday), user_name. `decided_by`: rule or person.
"""

same_person = Table(
    "same_person",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
)
"""What follows from the joins: the key that stands for each of a person's keys, itself included."""
Index("ix_same_person_person", same_person.c.person_id)
