"""What every room's tables share: one MetaData with stable constraint names, and the store's own two tables."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def instant(name: str, *, nullable: bool = True) -> Column[object]:
    """A column that holds a moment, in UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Keys drawn once per installation: the pseudonym key and what erasure hashes identifiers with."""
