"""The time zones of Square's exports, which go by the names that Ruby on Rails gives them."""

from __future__ import annotations

from setia.warehouse.duck import literal

ZONES: dict[str, str] = {
    "Hawaii": "Pacific/Honolulu",
    "Alaska": "America/Juneau",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Saskatchewan": "America/Regina",
    "Eastern Time (US & Canada)": "America/New_York",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Atlantic Time (Canada)": "America/Halifax",
    "Puerto Rico": "America/Puerto_Rico",
    "Newfoundland": "America/St_Johns",
    "Guam": "Pacific/Guam",
    "Dublin": "Europe/Dublin",
    "Edinburgh": "Europe/London",
    "London": "Europe/London",
    "Madrid": "Europe/Madrid",
    "Paris": "Europe/Paris",
    "Osaka": "Asia/Tokyo",
    "Sapporo": "Asia/Tokyo",
    "Tokyo": "Asia/Tokyo",
    "Perth": "Australia/Perth",
    "Darwin": "Australia/Darwin",
    "Adelaide": "Australia/Adelaide",
    "Brisbane": "Australia/Brisbane",
    "Canberra": "Australia/Canberra",
    "Melbourne": "Australia/Melbourne",
    "Sydney": "Australia/Sydney",
    "Hobart": "Australia/Hobart",
}
"""Name to IANA zone, for the countries that Square serves."""

_CLOCKS = "['%H:%M:%S', '%I:%M:%S %p', '%H:%M', '%I:%M %p']"


def moment_sql(day: str, clock: str, zone: str) -> str:
    """The moment that the columns `Date`, `Time` and `Time Zone` tell together, as a DuckDB expression.

    The shop's own zone stands in for one that is missing or unknown, midnight for a time that is.
    """
    known = ZONES | {iana: iana for iana in ZONES.values()}
    names = " ".join(f"when {literal(name)} then {literal(iana)}" for name, iana in known.items())
    local = f"{day} + coalesce(try_strptime({clock}, {_CLOCKS})::time, time '00:00')"
    return f"timezone(case {zone} {names} else {{zone}} end, {local})"
