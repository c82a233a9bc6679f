"""The transactional database: what must never be lost or done twice.

Holds the engine, transactions, locks and the private server; the tables stand in the rooms that own them
(`<room>/tables.py`), all on `store.metadata`. Reads and writes PostgreSQL 15 or newer.
"""

from __future__ import annotations
