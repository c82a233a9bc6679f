"""Currencies that the text of an amount names: `Rp`, `RM`, `S$`, `USD`."""

from __future__ import annotations

from setia.sources.files.values.sql import Count, looked_up, matches, where
from setia.warehouse.duck import literal

MARKS = {
    "RP": "IDR", "RM": "MYR", "S$": "SGD", "SG$": "SGD", "US$": "USD", "U$S": "USD", "A$": "AUD", "AU$": "AUD",
    "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD", "B$": "BND", "MX$": "MXN", "R$": "BRL",
    "R": "ZAR", "€": "EUR", "£": "GBP", "฿": "THB", "₱": "PHP", "₫": "VND", "Đ": "VND", "₩": "KRW", "₹": "INR",
    "₺": "TRY", "TL": "TRY", "₽": "RUB", "₴": "UAH", "₪": "ILS", "₦": "NGN", "৳": "BDT", "TK": "BDT", "ZŁ": "PLN",
    "KČ": "CZK", "FT": "HUF", "FR": "CHF", "元": "CNY", "RMB": "CNY", "CN¥": "CNY", "JP¥": "JPY", "円": "JPY",
    "៛": "KHR", "₭": "LAK", "RS": "INR",
}  # fmt: skip
"""What one mark means wherever it stands."""

SHARED = {
    "$": ("USD", ("USD", "SGD", "AUD", "CAD", "NZD", "HKD", "TWD", "BND", "MXN", "ARS", "CLP", "COP", "FJD", "JMD")),
    "¥": ("JPY", ("JPY", "CNY")),
    "￥": ("JPY", ("JPY", "CNY")),
    "RS": ("INR", ("INR", "PKR", "LKR", "NPR", "MUR")),
    "KR": ("", ("SEK", "NOK", "DKK", "ISK")),
    "£": ("GBP", ("GBP", "EGP", "LBP")),
}
"""Marks of several currencies: the shop's own where it is one of them, else the first, if there is one."""

_LETTERS = r"([A-Za-zĐđŁłČč]{0,3}[$¥￥]S?|[€£฿₱₫₩₹₺₽₴₪₦৳元円៛₭]|[A-Za-zĐđŁłČč]{1,4})"
_MARK = rf"^[-−+( ]*{_LETTERS}|\d\s*[-)]?\s*{_LETTERS}\.?[)\s]*$"
_CODE = r"(?:^|[^A-Za-z])([A-Za-z]{3})(?:[^A-Za-z]|$)"
_HAS_MARK = r"\pL|\p{Sc}"


def _codes() -> tuple[str, ...]:
    """The codes of currencies in use, and of some that were."""
    from babel.core import get_global

    used = get_global("territory_currencies")
    return tuple(sorted({entry[0] for entries in used.values() for entry in entries}))


def currency_sql(column: str, shops_own: str) -> str:
    """ISO 4217 code of the currency that the amount's text names, as a DuckDB expression; null where it names none.

    `shops_own` (ISO code) decides marks of several currencies: `$` is the shop's own if that is a dollar, else USD.
    """
    codes = {code: code for code in _codes()}
    own = {mark: shops_own if shops_own in of else usual for mark, (usual, of) in SHARED.items()}
    own = {mark: meaning for mark, meaning in own.items() if meaning}
    code = f"upper(regexp_extract({column}, {literal(_CODE)}, 1))"
    found = f"regexp_extract({column}, {literal(_MARK)}, ['front', 'behind'])"
    mark = f"upper(coalesce(nullif({found}.front, ''), {found}.behind))"
    # A code beside a mark is the more exact.
    meaning = f"coalesce({looked_up(code, codes)}, {looked_up(mark, MARKS | own)})"
    return f"case when {matches(column, _HAS_MARK)} then {meaning} end"


def seen(column: str, sample: Count) -> bool:
    """Whether any amount of the sample names a currency."""
    # Hardly any column has letters or signs in it, and telling which they are takes long.
    if sample(where(matches(column, _HAS_MARK))) == 0:
        return False
    return sample(where(f"{currency_sql(column, 'USD')} is not null")) > 0
