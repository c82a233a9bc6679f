"""Audiences for advertising: a segment's members as hashed identifiers, in the form that each platform asks for.

Hashed are SHA-256 of an address in small letters and of a telephone number in international form: Google and TikTok
with its plus sign, Meta without. Google takes no points in the names of its own addresses, TikTok nothing after a plus.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

GOOGLES = ("gmail.com", "googlemail.com")


def _as_written(email: str) -> str:
    return email.strip().lower()


def _for_google(email: str) -> str:
    name, _, domain = _as_written(email).partition("@")
    return f"{name.replace('.', '')}@{domain}" if domain in GOOGLES else f"{name}@{domain}"


def _for_tiktok(email: str) -> str:
    name, _, domain = _as_written(email).partition("@")
    return f"{name.partition('+')[0]}@{domain}"


def _with_plus(phone: str) -> str:
    return "+" + _digits(phone)


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone).lstrip("0")


@dataclass(frozen=True, slots=True)
class Platform:
    """How a platform wants its list."""

    columns: tuple[str, str]
    """The heads for e-mail and telephone."""
    email: Callable[[str], str]
    phone: Callable[[str], str]

    def row(self, email: str | None, phone: str | None) -> tuple[str, str]:
        """The two identifiers of a person, hashed; empty where there is none."""
        return (
            hashed(self.email(email)) if email and "@" in email else "",
            hashed(self.phone(phone)) if phone and _digits(phone) else "",
        )


PLATFORMS = {
    "meta": Platform(("email", "phone"), _as_written, _digits),
    "google": Platform(("Email", "Phone"), _for_google, _with_plus),
    "tiktok": Platform(("Email_SHA256", "Phone_SHA256"), _for_tiktok, _with_plus),
}


def hashed(identifier: str) -> str:
    """SHA-256 in small hexadecimal letters."""
    return hashlib.sha256(identifier.encode()).hexdigest()


def traces(identifier: str) -> set[str]:
    """Everything that a list may hold of an address or a telephone number: by it erasure finds the list."""
    email = "@" in identifier
    return {hashed(each.email(identifier) if email else each.phone(identifier)) for each in PLATFORMS.values()}
