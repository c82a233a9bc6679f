"""Three languages: the only place that translates a sentence or formats money, dates, figures and percents."""

from __future__ import annotations

import datetime as dt
import gettext
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

from setia.kernel.errors import SetiaError
from setia.kernel.money import shown_digits

Language = Literal["en", "id", "ms"]
LANGUAGES: tuple[Language, ...] = ("en", "id", "ms")
NAMES: dict[Language, str] = {"en": "English", "id": "Bahasa Indonesia", "ms": "Bahasa Melayu"}


class UnknownLanguage(SetiaError):
    """Setia does not speak {language}. Choose en (English), id (Indonesian) or ms (Malay)."""

    code = "i18n.unknown_language"


SIGNS = {"IDR": "Rp", "MYR": "RM"}
"""Signs that customers know, where a foreign locale would show the code."""


def N_(message: str) -> str:  # noqa: N802
    """Mark a sentence for translation later on."""
    return message


class Sentence(str):
    """A sentence with facts, in English until a `Speaker` says it in another language."""

    template: str
    facts: dict[str, Any]

    def __new__(cls, template: str, /, **facts: Any) -> Sentence:
        """The sentence; `template` names the facts in braces."""
        made = super().__new__(cls, template.format_map(facts) if facts else template)
        made.template, made.facts = template, facts
        return made


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    file = resources.files("setia") / "locale" / language / "LC_MESSAGES" / "setia.mo"
    with file.open("rb") as compiled:
        return gettext.GNUTranslations(compiled)


@dataclass(frozen=True, slots=True)
class Speaker:
    """One language's voice: translates sentences and formats values, for one currency.

    Every method returns text ready to show. A missing value is shown as a dash.
    """

    language: Language
    currency: str = "IDR"
    missing: str = field(default="–")

    @classmethod
    def of(cls, language: str, currency: str = "IDR") -> Speaker:
        """The voice for a language code. Raises UnknownLanguage."""
        if language not in LANGUAGES:
            raise UnknownLanguage(language=language)
        return cls(language, currency)

    def __call__(self, sentence: str, /, **facts: Any) -> str:
        """The sentence in this language, with its facts filled in."""
        translated = _catalogue(self.language).gettext(sentence)
        return translated.format_map(facts) if facts else translated

    def say(self, sentence: str) -> str:
        """A sentence made elsewhere, in this language."""
        if isinstance(sentence, Sentence):
            said = {k: self.say(fact) if isinstance(fact, Sentence) else fact for k, fact in sentence.facts.items()}
            return self(sentence.template, **said)
        return self(sentence)

    def error(self, error: SetiaError) -> str:
        """An error's message in this language."""
        return self(error.template()).format_map(error.facts)

    @property
    def _locale(self) -> str:
        return {"en": "en_GB", "id": "id_ID", "ms": "ms_MY"}[self.language]

    def count(self, value: float | None) -> str:
        """A whole number with thousands marks."""
        return self.number(value, 0)

    def number(self, value: float | Decimal | None, digits: int = 1) -> str:
        """A number with so many digits after the point."""
        from babel.numbers import format_decimal

        if value is None:
            return self.missing
        shape = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=shape, locale=self._locale)

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share (0.433) as a percentage (43.3%)."""
        return self.missing if share is None else f"{self.number(share * 100, digits)}%"

    def points(self, difference: float | None, digits: int = 1) -> str:
        """A difference of two shares, in percentage points, with its sign."""
        if difference is None:
            return self.missing
        sign = "+" if difference > 0 else "−" if difference < 0 else ""
        return self("{n} percentage points", n=sign + self.number(abs(difference) * 100, digits))

    def money(self, amount: Decimal | float | None, currency: str | None = None) -> str:
        """An amount with its currency's sign: Rp150.000, RM1,234.50, £9.99."""
        from babel.numbers import format_currency

        if amount is None:
            return self.missing
        code = currency or self.currency
        digits = shown_digits(code)
        shape = "¤#,##0" + ("." + "0" * digits if digits else "")
        text: str = format_currency(
            amount, code, format=f"{shape};-{shape}", locale=self._locale, currency_digits=False
        )
        return text.replace("\xa0", "").replace(code, SIGNS.get(code, code))

    def many(self, one: str, many: str, value: float, digits: int = 0) -> str:
        """A number of something; English alone has a form of its own for one."""
        text = self.number(value, digits)
        return self(one if self.language == "en" and text == "1" else many, n=text)

    def days(self, value: float | None) -> str:
        """A length of time in days."""
        return self.missing if value is None else self.many("{n} day", "{n} days", value)

    def date(self, day: dt.date | None) -> str:
        """A day: 31 August 2026, 31 Agustus 2026, 31 Ogos 2026."""
        from babel.dates import format_date

        return self.missing if day is None else format_date(day, "d MMMM y", locale=self._locale)

    def month(self, day: dt.date | None) -> str:
        """A month: Aug 2026, Agu 2026, Ogo 2026."""
        from babel.dates import format_date

        return self.missing if day is None else format_date(day, "MMM y", locale=self._locale)

    def listing(self, items: Iterable[str], kind: Literal["standard", "or"] = "standard") -> str:
        """Items joined as a person would: a, b and c; or a, b or c."""
        from babel.lists import format_list

        return format_list(list(items), style=kind, locale=self._locale)
