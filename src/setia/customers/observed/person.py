"""Who somebody is, and how they may be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.customers.trait import Family, Trait, told
from setia.history.consent import CHANNELS, email_consent, reachable_on
from setia.history.people import people_before
from setia.history.scope import Scope
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

OLDEST = 120


def _age(rows: Any, scope: Scope) -> Any:
    """Whole years on the day before `as_of`; nobody is younger than 0 or older than `OLDEST`."""
    born, today = rows.birth_date, scope.last_day
    had = born.month() * 100 + born.day() <= today.month * 100 + today.day
    years = (today.year - born.year() - had.ifelse(0, 1)).cast("int64")
    return years.between(0, OLDEST).ifelse(years, None).max()


def _days_to_birthday(rows: Any, scope: Scope) -> Any:
    """From `as_of` on, 0 on the day itself; who was born on 29 February has it on 1 March in other years."""
    import ibis

    def birthday(year: int) -> Any:
        # The first of the month and so many days: no engine knows a 29 February where there is none.
        first = ibis.date(ibis.literal(year), rows.birth_date.month(), 1)
        return first.delta(ibis.literal(scope.as_of), unit="day") + rows.birth_date.day() - 1

    this, following = birthday(scope.as_of.year), birthday(scope.as_of.year + 1)
    return (this >= 0).ifelse(this, following).max()


PERSON = Family(
    people_before,
    (
        Trait("country", "text", N_("Country"), told("country")),
        Trait("city", "text", N_("Town"), told("city")),
        Trait("language", "text", N_("Language of messages"), told("language")),
        Trait("gender", "text", N_("Gender"), told("gender")),
        Trait("source", "text", N_("How the customer was won"), told("source")),
        Trait("age", "integer", N_("Age in years"), _age),
        Trait(
            "days_to_birthday", "integer", N_("Days until the next birthday, 0 on the day itself"), _days_to_birthday
        ),
        Trait(
            "has_email", "flag", N_("An e-mail address is known"), lambda rows, _: rows.email.notnull().any(),
            otherwise=False,
        ),
        Trait(
            "has_phone", "flag", N_("A telephone number is known"),
            lambda rows, _: rows.phone.notnull().any(), otherwise=False,
        ),
    ),
    always=True,
)  # fmt: skip


def _decisions(facts: Snapshot, scope: Scope) -> Any:
    decided: Any = email_consent(facts, scope.until)
    return decided.mutate(agreed=decided.email_consent_at.notnull() & decided.email_optout_at.isnull())


CONSENT = Family(
    _decisions,
    (
        Trait(
            "email_consent", "flag", N_("Agreed to marketing by e-mail and did not opt out"),
            lambda rows, _: rows.agreed.any(), otherwise=False,
        ),
    ),
)  # fmt: skip


def _reached(facts: Snapshot, scope: Scope) -> Any:
    """One row per customer and channel on which they can be written to."""
    import ibis

    tables = [reachable_on(facts, name, scope.until).mutate(channel=ibis.literal(name)) for name in CHANNELS]
    return ibis.union(*tables)


REACH = Family(
    _reached,
    (
        Trait(
            "reachable_email", "flag", N_("Can be written to by e-mail"),
            lambda rows, _: (rows.channel == "email").any(), otherwise=False,
        ),
        Trait(
            "reachable_whatsapp", "flag", N_("Can be written to on WhatsApp"),
            lambda rows, _: (rows.channel == "whatsapp").any(), otherwise=False,
        ),
        Trait(
            "reachable_sms", "flag", N_("Can be written to by text message"),
            lambda rows, _: (rows.channel == "sms").any(), otherwise=False,
        ),
    ),
)  # fmt: skip
