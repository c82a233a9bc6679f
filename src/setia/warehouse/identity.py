"""How identifiers are hidden: pseudonyms for addresses used as keys, fingerprints of the erased."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sqlalchemy import select

from setia.store.database import Store
from setia.warehouse.duck import literal
from setia.warehouse.tables import erased

PSEUDONYM = "p-"
_ADDRESS = r"@|^\+\d{7,15}$"
"""An e-mail address, or a telephone number in international form."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The installation's two keys. The same value gives the same pseudonym and fingerprint, here and in SQL.

    The hash is nested, sha256(key, sha256(key, value)), so that it cannot be extended without the key.
    """

    pseudonym_key: str
    fingerprint_key: str

    @classmethod
    def of(cls, store: Store) -> Identity:
        """The keys kept in the store."""
        return cls(store.secret("pseudonym"), store.secret("fingerprint"))

    def customer_id(self, key: str) -> str:
        """The customer id for a key in a file: an e-mail address or telephone number is replaced by its pseudonym."""
        return PSEUDONYM + _hash(self.pseudonym_key, key.lower())[:20] if re.search(_ADDRESS, key) else key

    def fingerprint(self, identifier: str) -> str:
        """What is kept of an erased identifier."""
        return _hash(self.fingerprint_key, identifier.lower())

    def customer_id_sql(self, key: str) -> str:
        """`customer_id` as a DuckDB expression over a text expression."""
        hidden = f"{literal(PSEUDONYM)} || substr({_hash_sql(self.pseudonym_key, f'lower({key})')}, 1, 20)"
        address = f"contains({key}, '@') or (starts_with({key}, '+') and regexp_matches({key}, {literal(_ADDRESS)}))"
        return f"case when {address} then {hidden} else {key} end"

    def fingerprint_sql(self, identifier: str) -> str:
        """`fingerprint` as a DuckDB expression over a text expression."""
        return _hash_sql(self.fingerprint_key, f"lower({identifier})")


def erased_fingerprints(store: Store) -> list[str]:
    """The fingerprints of everybody who was erased."""
    with store.begin() as tx:
        return list(tx.scalars(select(erased.c.fingerprint)))


def _hash(key: str, value: str) -> str:
    inner = hashlib.sha256(f"{key}:{value}".encode()).hexdigest()
    return hashlib.sha256(f"{key}:{inner}".encode()).hexdigest()


def _hash_sql(key: str, value: str) -> str:
    return f"sha256({literal(key + ':')} || sha256({literal(key + ':')} || {value}))"
