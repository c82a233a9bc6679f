"""The catalogue: which files make up each table in each snapshot."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from setia.store.schema import instant, metadata

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    instant("made_at", nullable=False),
    Column("reason", Text, nullable=False),
    Column("summary", JSONB, nullable=False),
    Column("forgotten", Boolean, nullable=False, server_default=text("false")),
)

fact_files = Table(
    "fact_files",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("fact_table", Text, nullable=False),
    Column("month", Date),
    Column("path", Text, nullable=False, unique=True),
    Column("rows", BigInteger, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("snapshot_from", BigInteger, ForeignKey("snapshots.id"), nullable=False),
    Column("snapshot_to", BigInteger, ForeignKey("snapshots.id")),
)
Index("ix_fact_files_live", fact_files.c.fact_table, postgresql_where=text("snapshot_to is null"))

erased = Table(
    "erased",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    instant("erased_at", nullable=False),
)
"""Keyed hashes of the identifiers of erased people, so that an old file does not bring them back."""
