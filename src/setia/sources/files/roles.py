"""What a layout expects of a column: the headers it goes by, and how its values read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from setia.facts import Kind
from setia.sources.files.header import plain


class Reading(Enum):
    """How the values of a column read."""

    TEXT = auto()
    WORD = auto()
    AMOUNT = auto()
    MOMENT = auto()
    DAY = auto()
    FLAG = auto()
    EMAIL = auto()
    PHONE = auto()
    ABOVE = auto()
    """A label in the lines above the header, with its value to the right."""


TYPES = {Reading.AMOUNT: Kind.AMOUNT, Reading.MOMENT: Kind.INSTANT, Reading.DAY: Kind.DAY, Reading.FLAG: Kind.FLAG}
"""The types of those that are no text."""


@dataclass(frozen=True, slots=True)
class Role:
    """A column that a layout knows."""

    reading: Reading
    headers: tuple[str, ...]
    """Its names, in every language and version; compared as `header.plain` gives them."""
    required: bool = False
    """A row without it cannot be used."""
    pattern: str | None = None
    """A regular expression that the plain header fits, where no list of names suffices; the header as it was written
    is `<role>_header`."""
    money: bool = True
    zone: str | None = None
    """IANA zone of times that name none; None: the layout's, else the shop's."""
    yes: tuple[str, ...] = ()
    """Words that mean yes, beside the usual ones."""
    currency_in_header: bool = False
    """The header names the currency: `<role>_currency` is a text column of its own."""
    carried: bool = False
    """An empty cell means the same as in the row above."""
    plain_headers: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain_headers", tuple(plain(header) for header in self.headers))

    @property
    def type(self) -> str:
        """DuckDB type of its values."""
        return TYPES.get(self.reading, Kind.TEXT).value

    def column(self, columns: Sequence[str]) -> str | None:
        """The first of its names that a file has; None where it has none."""
        by_plain: dict[str, str] = {}
        for name in columns:
            by_plain.setdefault(plain(name), name)
        for header in self.plain_headers:
            if header in by_plain:
                return by_plain[header]
        if self.pattern is not None:
            return next((name for bare, name in by_plain.items() if re.search(self.pattern, bare)), None)
        return None


def text(*headers: str, required: bool = False, pattern: str | None = None, carried: bool = False) -> Role:
    """Text as it stands. `carried`: an empty cell means the same as in the row above."""
    return Role(Reading.TEXT, headers, required, pattern, carried=carried)


def word(*headers: str, required: bool = False, pattern: str | None = None) -> Role:
    """Text in lower case, to be compared: a status, a kind."""
    return Role(Reading.WORD, headers, required, pattern)


def amount(
    *headers: str,
    required: bool = False,
    pattern: str | None = None,
    money: bool = True,
    currency_in_header: bool = False,
) -> Role:
    """A decimal number. `money`: three places behind a lone point are thousands of rupiah."""
    return Role(
        Reading.AMOUNT, headers, required, pattern, money=money, currency_in_header=currency_in_header
    )  # fmt: skip


def moment(*headers: str, required: bool = False, pattern: str | None = None, zone: str | None = None) -> Role:
    """A moment, and beside it `<role>_day`, its day in the shop's zone."""
    return Role(Reading.MOMENT, headers, required, pattern, zone=zone)


def day(*headers: str, required: bool = False, pattern: str | None = None) -> Role:
    """A calendar day that belongs to no zone."""
    return Role(Reading.DAY, headers, required, pattern)


def flag(*headers: str, yes: Sequence[str] = (), pattern: str | None = None) -> Role:
    """Yes or no."""
    return Role(Reading.FLAG, headers, pattern=pattern, yes=tuple(yes))


def email(*headers: str, required: bool = False, pattern: str | None = None) -> Role:
    """An e-mail address in lower case; null where it is masked."""
    return Role(Reading.EMAIL, headers, required, pattern)


def phone(*headers: str, required: bool = False, pattern: str | None = None) -> Role:
    """A telephone number in international form; null where it is masked."""
    return Role(Reading.PHONE, headers, required, pattern)


def above(*labels: str) -> Role:
    """What stands beside a label in the lines above the header."""
    return Role(Reading.ABOVE, labels)
