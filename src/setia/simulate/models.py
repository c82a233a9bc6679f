"""Settings of the shop, the mails it reacts to, and the enrolments whose true effect it tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from setia.kernel.errors import SetiaError
from setia.simulate.goods import CURRENCIES

OFFER_KINDS = ("none", "percent", "free_shipping", "gift", "amount")


class ImpossibleSettings(SetiaError):
    """A shop cannot be simulated with {setting} = {value}: {reason}."""

    code = "simulate.impossible_settings"


class UnknownCustomer(SetiaError):
    """The simulated shop has no customer {customer_id}."""

    code = "simulate.unknown_customer"


class UnknownOffer(SetiaError):
    """There is no offer of the kind {offer_kind}; choose one of {kinds}."""

    code = "simulate.unknown_offer"


class HistoryMissing(SetiaError):
    """The simulated shop has no past yet: call history before the first tick."""

    code = "simulate.history_missing"


class HistoryWritten(SetiaError):
    """The history of this simulated shop has been written already: make a new shop, or tick on."""

    code = "simulate.history_written"


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """Everything that decides a shop. The same settings give the same files, byte for byte.

    customers: how many arrive during the history.
    effect: scales every chance of reacting to a mail; 0 makes a shop on which mails have no effect.
    weekly_new_customers: arrivals a week after the history; None goes on as before.
    season: False gives a flat year.
    usual_gap_days, rate_shape: order rates are gamma distributed with mean 1 / usual_gap_days.
    drop_out, responsiveness: the two parameters of a beta distribution over customers.
    buys_at_once: share of customers who place their first order on arrival.
    language_mix: weights of the languages of messages; None fits the currency.
    events_per_order: mean number of events in the visit that ends in an order; 0 writes no events.
    Shares are between 0 and 1; consent_share is of all customers, optout_share of those who agreed.
    Raises ImpossibleSettings.
    """

    seed: int
    customers: int = 1500
    start: date = date(2025, 1, 6)
    weeks_of_history: int = 60
    currency: str = "IDR"
    time_zone: str = "Asia/Jakarta"
    effect: float = 1.0
    weekly_new_customers: float | None = None
    season: bool = True
    usual_gap_days: float = 35.0
    rate_shape: float = 3.0
    drop_out: tuple[float, float] = (0.8, 2.6)
    responsiveness: tuple[float, float] = (2.0, 2.0)
    buys_at_once: float = 0.9
    language_mix: tuple[tuple[str, float], ...] | None = None
    email_share: float = 0.97
    consent_share: float = 0.88
    optout_share: float = 0.03
    return_share: float = 0.04
    answer_share: float = 0.12
    subscription_share: float = 0.05
    events_per_order: float = 2.0

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise ImpossibleSettings(
                setting="currency", value=self.currency, reason=f"choose one of {', '.join(CURRENCIES)}"
            )
        for name in ("customers", "weeks_of_history", "usual_gap_days", "rate_shape"):
            if getattr(self, name) <= 0:
                raise ImpossibleSettings(setting=name, value=getattr(self, name), reason="it must be above 0")
        for name in ("effect", "events_per_order"):
            if getattr(self, name) < 0:
                raise ImpossibleSettings(setting=name, value=getattr(self, name), reason="it must not be below 0")
        for name in ("drop_out", "responsiveness"):
            if min(getattr(self, name)) <= 0:
                raise ImpossibleSettings(setting=name, value=getattr(self, name), reason="both must be above 0")
        self._check_shares()

    def _check_shares(self) -> None:
        shares = ("buys_at_once", "email_share", "consent_share", "optout_share", "return_share", "answer_share")
        for name in (*shares, "subscription_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ImpossibleSettings(setting=name, value=getattr(self, name), reason="it must lie between 0 and 1")
        if self.consent_share > self.email_share:
            raise ImpossibleSettings(
                setting="consent_share", value=self.consent_share, reason="only customers with an address can agree"
            )

    @property
    def weekly_arrivals(self) -> float:
        """Expected new customers a week after the history."""
        if self.weekly_new_customers is not None:
            return self.weekly_new_customers
        return self.customers / self.weeks_of_history

    @property
    def languages(self) -> tuple[tuple[str, float], ...]:
        """Weights of the languages of messages."""
        if self.language_mix is not None:
            return self.language_mix
        if self.currency == "MYR":
            return (("ms", 0.68), ("en", 0.25), ("id", 0.07))
        return (("id", 0.84), ("ms", 0.09), ("en", 0.07))


@dataclass(frozen=True, slots=True)
class ArrivedMail:
    """A mail that reached a customer. `offer_kind` is one of OFFER_KINDS; raises UnknownOffer.

    `offer_value` is a percentage for `percent`, money of the shop's currency for `amount`, else unused. An offer
    is redeemed with its code, until `expires_at`.
    """

    customer_id: str
    step: int
    arrived_at: datetime
    offer_kind: str
    offer_value: float
    code: str | None
    expires_at: datetime | None

    def __post_init__(self) -> None:
        _check_offer(self.offer_kind)


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """A mail that a programme sends `after_days` days after entry to those who have not ordered since.

    Raises UnknownOffer.
    """

    after_days: float
    step: int
    offer_kind: str
    offer_value: float

    def __post_init__(self) -> None:
        _check_offer(self.offer_kind)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One customer in a programme, whichever the arm, with the mails that the treated arm would get."""

    customer_id: str
    entered_at: datetime
    mails: tuple[PlannedMail, ...]


def _check_offer(kind: str) -> None:
    if kind not in OFFER_KINDS:
        raise UnknownOffer(offer_kind=kind, kinds=", ".join(OFFER_KINDS))
