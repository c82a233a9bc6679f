"""Who is held out: a pure function of a measurement's secret salt and the customer, the same in Python and SQL."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from setia.kernel.errors import SetiaError

BUCKETS = 10_000
"""How finely customers are divided: a share is met to the hundredth of a percent."""

_HEX_DIGITS = 13  # 52 bits: exact in every engine, and 2**52 / 10,000 leaves a bias below 1e-11

_NAME = re.compile(r"[A-Za-z_]\w*")


class ImpossibleShareError(SetiaError):
    """The share held out must lie between 0 and 1, not {share}."""

    code = "effects.share"


def checked_share(share: float) -> float:
    """The share itself. Raises `ImpossibleShareError` outside 0 to 1."""
    if not 0 <= share <= 1:
        raise ImpossibleShareError(share=share)
    return share


def bucket(salt: str, customer_id: str) -> int:
    """The customer's place from 0 to 9,999 in the measurement that owns `salt`; uniform, and the same for ever."""
    digest = hashlib.sha256(f"{salt}:{customer_id}".encode()).hexdigest()
    return int(digest[:_HEX_DIGITS], 16) % BUCKETS


def bucket_sql(salt_parameter: str, column: str) -> str:
    """`bucket` as a DuckDB expression.

    `salt_parameter` is the name of a prepared statement's parameter (the salt itself never stands in the
    text of a query), `column` the column of customer ids, with its table's name before a dot if need be.
    Null ids give null.
    """
    parameter = salt_parameter.removeprefix("$")
    if not _NAME.fullmatch(parameter):
        raise ValueError(f"not the name of a parameter: {salt_parameter!r}")
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in column.split("."))
    text = f"${parameter}::VARCHAR || ':' || {quoted}::VARCHAR"
    return f"(('0x' || substr(sha256({text}), 1, {_HEX_DIGITS}))::UBIGINT % {BUCKETS})::INTEGER"


def arm(bucket: int, held_out_share: float) -> Literal["held_out", "treated"]:
    """The arm of a bucket. The lowest buckets are held out, so a growing share keeps its old members.

    Raises `ImpossibleShareError` for a share outside 0 to 1.
    """
    return "held_out" if bucket < round(checked_share(held_out_share) * BUCKETS) else "treated"
