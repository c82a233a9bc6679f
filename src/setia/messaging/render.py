"""Writes one message: the programme's Liquid text with the customer's facts, as plain text and as HTML."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from setia.kernel.errors import SetiaError
from setia.kernel.i18n import LANGUAGES, Speaker


class BadText(SetiaError):
    """The text of step {step} ({language}) cannot be written: {problem}. Mend it in the programme's file."""

    code = "messaging.bad_text"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a message offers. `value`: per cent, money, or nothing; `text` names a gift in each language."""

    kind: str
    value: float = 0
    text: dict[str, str] | None = None

    def said(self, speaker: Speaker) -> str:
        """The offer in words: 10% off, free shipping."""
        match self.kind:
            case "percent":
                digits = 0 if self.value == int(self.value) else 1
                return speaker("{share} off", share=speaker.percent(self.value / 100, digits))
            case "amount":
                return speaker("{amount} off", amount=speaker.money(self.value))
            case "free_shipping":
                return speaker("free shipping")
            case "gift":
                return (self.text or {}).get(speaker.language, "")
        return ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a text may speak of."""

    name: str
    shop: str
    offer: Offer
    code: str | None
    expires_at: dt.date | None
    unsubscribe: str
    postal_address: str


@dataclass(frozen=True, slots=True)
class Written:
    """A message ready for a channel."""

    subject: str
    text: str
    html: str


def write(subject: str, body: str, letter: Letter, speaker: Speaker, step: int) -> Written:
    """The message of one step in one language. Raises BadText."""
    facts = {
        "name": letter.name,
        "shop": letter.shop,
        "offer": letter.offer.said(speaker),
        "code": letter.code or "",
        "expires": speaker.date(letter.expires_at) if letter.expires_at else "",
    }
    footer = [line for line in (letter.shop, letter.postal_address) if line]
    farewell = speaker("You receive this because you agreed to e-mails from {shop}.", shop=letter.shop)
    stop = speaker("To stop, write to {address}.", address=letter.unsubscribe) if letter.unsubscribe else ""
    text = _filled(body, facts, step, speaker.language).strip()
    line = " ".join(_filled(subject, facts, step, speaker.language).split())
    end = "\n".join([*footer, f"{farewell} {stop}".strip()])
    return Written(line, f"{text}\n\n-- \n{end}\n", _html(line, text, [*footer, farewell, stop], speaker.language))


def _filled(template: str, facts: dict[str, str], step: int, language: str) -> str:
    from liquid.exceptions import LiquidError

    try:
        return str(_liquid(template).render(**facts))
    except LiquidError as problem:
        raise BadText(step=step, language=language, problem=str(problem).splitlines()[0]) from problem


@lru_cache(maxsize=256)
def _liquid(template: str) -> Any:
    from liquid import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined).from_string(template)


@lru_cache(maxsize=1)
def _page() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("setia.messaging"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("mail.html.jinja")


def _html(subject: str, text: str, footer: list[str], language: str) -> str:
    paragraphs = [block.splitlines() for block in text.split("\n\n") if block.strip()]
    context: dict[str, Any] = {"subject": subject, "paragraphs": paragraphs, "footer": [f for f in footer if f]}
    return str(_page().render(language=language, **context))


def language_of(customer: str | None, shop: str) -> str:
    """The language to write in: the customer's where Setia speaks it, else the shop's."""
    return customer if customer in LANGUAGES else shop
