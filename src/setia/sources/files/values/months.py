"""Names of months and days in English, Indonesian and Malay, lower-case.

From CLDR (wide and abbreviated forms), with what people and spreadsheets write beside them: `Agt`, `Ogo`, `Nop`.
"""

from __future__ import annotations

from setia.sources.files.values.sql import one_of

MONTHS: dict[str, tuple[str, ...]] = {
    "jan": ("january", "januari", "jan"),
    "feb": ("february", "februari", "pebruari", "feb", "peb"),
    "mar": ("march", "maret", "mac", "mar", "mrt"),
    "apr": ("april", "apr"),
    "may": ("may", "mei"),
    "jun": ("june", "juni", "jun"),
    "jul": ("july", "juli", "julai", "jul"),
    "aug": ("august", "agustus", "ogos", "aug", "agu", "ags", "agt", "agust", "ogo", "ogs"),
    "sep": ("september", "sept", "sep"),
    "oct": ("october", "oktober", "oct", "okt"),
    "nov": ("november", "nopember", "nov", "nop"),
    "dec": ("december", "desember", "disember", "dec", "des", "dis"),
}
"""All that each month is called."""

DAYS = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "mon", "tues", "tue", "wed", "thurs", "thur", "thu", "fri", "sat", "sun",
    "senin", "selasa", "rabu", "kamis", "jumat", "jum'at", "jum’at", "sabtu", "minggu", "ahad",
    "sen", "sel", "rab", "kam", "jum", "sab", "min", "mg",
    "isnin", "khamis", "jumaat", "isn", "kha", "ahd",
)  # fmt: skip

DAY_NAME = rf"^{one_of(DAYS)}\.?[, ]+"
"""A weekday in front, which the date says anyway."""

ANY_MONTH = one_of({name for names in MONTHS.values() for name in names})

NUMBERED = tuple((rf"\b{one_of(names)}\b\.?", f"m{n:02}") for n, names in enumerate(MONTHS.values(), start=1))
"""Each month as `m01` to `m12`."""
