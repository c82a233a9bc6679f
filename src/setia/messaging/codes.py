"""Single-use voucher codes: drawn, kept, and written to a file that a shop's checkout can take."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from setia.messaging.tables import codes

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people mistake for one another."""
LENGTH = 9
HEADER = ("code", "kind", "value", "currency", "uses", "expires_at")


def draw(prefix: str, choose: Callable[[str], str]) -> str:
    """A new code; `choose` picks one letter at random. 32^9 codes: nobody guesses one."""
    return f"{prefix}-{''.join(choose(ALPHABET) for _ in range(LENGTH))}"


def export(tx: Connection, target: Path, now: dt.datetime) -> int:
    """Write all codes that have not expired to a CSV file, in one piece; returns their number.

    No customer stands in it, and no cell begins with a sign that a spreadsheet would calculate.
    """
    c = codes.c
    found = tx.execute(
        select(c.code, c.kind, c.value, c.currency, c.expires_at).where(c.expires_at > now).order_by(c.made_at, c.code)
    ).all()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for code, kind, value, currency, expires_at in found:
            writer.writerow((code, kind, f"{value:f}", currency, 1, expires_at.astimezone(dt.UTC).isoformat()))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    return len(found)
