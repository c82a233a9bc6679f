"""What happened, as immutable Parquet files under a catalogue in the store.

Holds the files of the fact tables and of what is derived from them. `files` names and removes them, `writer` puts
new ones down and commits them in one PostgreSQL transaction, `reader` pins a snapshot and opens it for SQL and Ibis.
"""

from __future__ import annotations
