"""Times that name their own zone: `Z`, `+07:00`, `GMT+7`, `WIB`."""

from __future__ import annotations

from setia.sources.files.values.sql import looked_up, one_of, rewritten

MINUTES = {
    "z": 0, "utc": 0, "gmt": 0, "wib": 420, "wita": 480, "wit": 540, "myt": 480, "sgt": 480, "ict": 420, "pht": 480,
    "hkt": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780, "cet": 60, "cest": 120,
    "eet": 120, "eest": 180, "brt": -180, "est": -300, "edt": -240, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480,
    "pdt": -420,
}  # fmt: skip
"""Minutes ahead of UTC. Words of several meanings (CST, IST, BST) are not here, and a time with one is not read."""

_NAMED = rf"(?:(?:utc|gmt)? ?[+-]\d{{1,2}}(?::?\d\d)?|{one_of(MINUTES)})"
AT_END = rf"^(.*\d[:.]\d\d.*?) ?\(?({_NAMED})\)?(?: ?\([^)]*\))?$"
"""A lower-case text that ends with its zone: what stands before it, and the zone."""


def minutes(zone: str) -> str:
    """Minutes ahead of UTC of a zone as written (`z`, `+07:00`, `gmt+7`), as a DuckDB expression; null if unknown."""
    number = rewritten(zone, [("[^0-9+-]", "")], everywhere=True)
    hours = f"left({number}, if(length({number}) > 3, -2, 3))"
    rest = f"if(length({number}) > 3, left({number}, 1) || right({number}, 2), '0')"
    return (
        f"case when {number} <> '' then try_cast({hours} as integer) * 60 + try_cast({rest} as integer) "
        f"else {looked_up(zone, MINUTES)} end"
    )
