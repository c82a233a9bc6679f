"""Phone numbers in international form (E.164), by the numbering plans that the phonenumbers library carries."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from setia.sources.files.values.sql import let, matches, rewritten
from setia.warehouse.duck import literal

_HIDDEN = r"[*•…#]|[xX]{2,}|\dE\+?\d"
"""A masked number, or one that a spreadsheet shortened."""
_FIRST_NUMBER = r"^[^\d+]*(\+?[\d ().\-–  ]*\d)(?:\.0$|.*$)"
"""The number itself: behind any words, before an extension or a second number."""
_BETWEEN = r"[^\d+]"


def region_of(currency: str) -> str | None:
    """The region (ISO 3166) whose money this is, as ISO 4217 names it in the first two letters; None for EUR, XAU …"""
    from phonenumbers import SUPPORTED_REGIONS

    return currency[:2] if currency[:2] in SUPPORTED_REGIONS else None


def international_sql(column: str, region: str | None) -> str:
    """The (first) number in international form (`+628123456789`), as a DuckDB expression.

    Null where it is masked, shortened by a spreadsheet, or of a length that its country's plan does not know. Numbers
    without a country are of the region; without a region they are null. `00` leads abroad from everywhere.
    """
    whole = rewritten(column, [(r"\.0$", "")])
    number = f"if({matches(column, _HIDDEN)}, null, nullif(regexp_extract({whole}, {literal(_FIRST_NUMBER)}, 1), ''))"
    digits = rewritten(number, [(_BETWEEN, "")], everywhere=True)
    plan = _plan(region)
    dialled = f"^(?:[+]|00|{plan.international_prefix})" if plan else "^(?:[+]|00)"
    abroad = rewritten(digits, [(dialled, "+")])
    body = f"case when {matches('its_e164', _possible())} then its_e164 end"
    return let("digits", abroad, let("e164", _e164("its_digits", plan), body))


def _e164(digits: str, plan: Any) -> str:
    """The number with `+` and its country, its length not looked at yet."""
    abroad = f"if(starts_with({digits}, '+'), {_without_trunk(digits)}, null)"
    if plan is None:
        return abroad
    code = f"+{plan.country_code}"
    own = f"'{code}' || {_national(f'{digits}[{len(code) + 1}:]', plan)}"
    home = f"'{code}' || {_national(_without_code(digits, plan), plan)}"
    return (
        f"case when starts_with({digits}, '{code}') then {own} when starts_with({digits}, '+') then {abroad} "
        f"else {home} end"
    )


def _without_code(digits: str, plan: Any) -> str:
    """A number at home, its own country's code taken off where it is no part of it."""
    code, pattern = str(plan.country_code), _of(plan)
    rest = f"{digits}[{len(code) + 1}:]"
    longest = max(plan.general_desc.possible_length)
    other = f"not {matches(digits, pattern)} and {matches(_national(rest, plan), pattern)}"
    return f"if(starts_with({digits}, '{code}') and (length({digits}) > {longest} or ({other})), {rest}, {digits})"


def _national(number: str, plan: Any) -> str:
    """A number at home without the trunk prefix, where it is one."""
    if not plan.national_prefix_for_parsing:
        return number
    prefix, rule = literal(f"^(?:{plan.national_prefix_for_parsing})"), plan.national_prefix_transform_rule
    rest = f"regexp_replace(its_whole, {prefix}, '')"
    if rule:
        last = re.compile(plan.national_prefix_for_parsing).groups
        changed = f"regexp_replace(its_whole, {prefix}, {literal(rule)})"
        rest = f"if(regexp_extract(its_whole, {prefix}, {last}) <> '', {changed}, {rest})"
    lengths = sorted(plan.general_desc.possible_length)
    fits = f"length(its_rest) in ({', '.join(map(str, lengths))}) or length(its_rest) > {lengths[-1]}"
    spoils = f"{matches('its_whole', _of(plan))} and not {matches('its_rest', _of(plan))}"
    return let("whole", number, let("rest", rest, f"if(({fits}) and not ({spoils}), its_rest, its_whole)"))


def _of(plan: Any) -> str:
    """A pattern of the country's numbers."""
    return f"^(?:{plan.general_desc.national_number_pattern})$"


def _without_trunk(number: str) -> str:
    """A number abroad without the 0 that is only dialled within its country, as in +62 (0)812."""
    shorter = rewritten(number, [(rf"^[+]({'|'.join(_zero_trunks())})0", r"+\1")])
    return f"if({matches(shorter, _possible())}, {shorter}, {number})"


def _plan(region: str | None) -> Any:
    from phonenumbers import PhoneMetadata

    return PhoneMetadata.metadata_for_region(region) if region else None


@cache
def _plans() -> dict[int, Any]:
    """Each country code's plan."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    plans = {}
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        found = PhoneMetadata.metadata_for_nongeo_region(code) if regions[0] == "001" else _plan(regions[0])
        if found is not None:
            plans[code] = found
    return plans


def _zero_trunks() -> list[str]:
    return [str(code) for code, plan in _plans().items() if plan.national_prefix == "0"]


@cache
def _possible() -> str:
    """A pattern of all numbers whose length their country's plan knows."""
    codes = []
    for code, plan in _plans().items():
        lengths = "|".join(rf"\d{{{length}}}" for length in sorted(plan.general_desc.possible_length))
        codes.append(f"{code}(?:{lengths})")
    return rf"^[+](?:{'|'.join(codes)})$"
