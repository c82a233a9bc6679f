"""What may drive retention, each declared once: its words, to whom it applies, the test that would show its effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from setia.kernel.i18n import N_

Kind = Literal[
    "behaviour", "feature", "message", "support", "answer", "first_product", "first_category", "channel", "source"
]


@dataclass(frozen=True, slots=True)
class Factor:
    """A column of `early_days`."""

    column: str
    kind: Kind
    title: str
    test: str
    level: str | None = None
    """What the column is about, in the shop's own words: the name of an event."""
    early: bool = False
    """Whether it is something that customers do in their first days."""
    within: str | None = None
    """The flag of those to whom it applies; None for everybody."""
    apart: tuple[str, ...] = ()
    """Columns it is not adjusted for, since they are a part of it, or it of them."""
    has_levels: bool = False

    @property
    def name(self) -> str:
        """Its name as a driver."""
        return self.column if self.level is None else "event"


NUDGE = N_(
    "Nudge a random half of new customers towards it in their first days, hold the other half out, and compare how "
    "many of each half stay, whoever did it."
)
FEATURE = N_(
    "Show a random half of new customers what it is good for, hold the other half out, and compare how many of each "
    "half stay, whoever used it."
)
MESSAGES = N_("Hold a random half of new customers out of these messages, and compare how many of each half stay.")
WORDING = N_(
    "Write it in another way for a random half of new customers, and compare how many of each half stay, whoever "
    "opened or clicked."
)
BEFOREHAND = N_(
    "Tell a random half of new customers beforehand what most ask about, and compare how many of each half stay, "
    "whoever asked."
)
MENDED = N_("Mend what it is about for a random half of new customers first, and compare how many of each half stay.")
QUEUE = N_("Put a random half of new cases at the head of the queue, and compare how many customers of each half stay.")
SETTLING = N_(
    "Let a random half of new cases be settled at once, at the shop's cost, and compare how many customers of each "
    "half stay."
)
ASKING = N_("Ask a random half of new customers for an answer, and compare how many of each half stay.")
CALLING = N_(
    "An answer tells a mood and makes none: call a random half of those who gave it, and compare how many of each half "
    "stay."
)
SHOWING = N_(
    "Show it first to a random half of those who have not bought yet, and compare how many of each half have bought "
    "again later, whatever they bought first."
)
INVITING = N_(
    "Invite a random half of those who have not bought yet to order there, and compare how many of each half have "
    "bought again later, wherever they ordered first."
)
SPENDING = N_(
    "Spend on it in regions or weeks drawn by lot and not in the others, and compare how many customers each of them "
    "has kept later."
)

FACTORS = (
    Factor("bought_again", "behaviour", N_("Bought on another day"), NUDGE, early=True),
    Factor("visited", "behaviour", N_("Came back for a visit"), NUDGE, early=True, apart=("event", "used_app")),
    Factor("used_app", "feature", N_("Used the app"), FEATURE, early=True),
    Factor("messaged", "message", N_("Was sent a message"), MESSAGES, apart=("opened", "clicked")),
    Factor("opened", "message", N_("Opened a message"), WORDING, early=True, within="messaged", apart=("clicked",)),
    Factor("clicked", "message", N_("Clicked in an opened message"), WORDING, early=True, within="opened"),
    Factor(
        "asked", "support", N_("Asked or complained"), BEFOREHAND, early=True,
        apart=("asked_about", "answered_fast", "settled"),
    ),
    Factor(
        "asked_about", "support", N_("What they asked or complained about"), MENDED, within="asked",
        apart=("answered_fast", "settled"), has_levels=True,
    ),
    Factor(
        "answered_fast", "support", N_("Had an answer to their question within 24 hours"), QUEUE, within="asked",
        apart=("settled",),
    ),
    Factor("settled", "support", N_("Had their question settled in the first days"), SETTLING, within="asked"),
    Factor(
        "gave_nps", "answer", N_("Answered the question of recommendation"), ASKING, early=True,
        apart=("promoter", "detractor"),
    ),
    Factor(
        "promoter", "answer", N_("Would recommend the shop: 9 or 10 of 10"), CALLING, within="gave_nps",
        apart=("detractor",),
    ),
    Factor(
        "detractor", "answer", N_("Would not recommend the shop: 0 to 6 of 10"), CALLING, within="gave_nps",
        apart=("promoter",),
    ),
    Factor(
        "gave_csat", "answer", N_("Answered the question of satisfaction"), ASKING, early=True, apart=("satisfied",),
    ),
    Factor("satisfied", "answer", N_("Is satisfied: four fifths of the scale or more"), CALLING, within="gave_csat"),
    Factor(
        "first_product", "first_product", N_("Product that most was paid for in the first order"), SHOWING,
        apart=("first_category",), has_levels=True,
    ),
    Factor(
        "first_category", "first_category", N_("Category that most was paid for in the first order"), SHOWING,
        apart=("first_product",), has_levels=True,
    ),
    Factor("first_channel", "channel", N_("Channel of the first order"), INVITING, has_levels=True),
    Factor("source", "source", N_("How the customer was won"), SPENDING, has_levels=True),
)  # fmt: skip


def of_event(number: int, name: str) -> Factor:
    """Whether an event of that name was done."""
    return Factor(f"event_{number}", "feature", N_("Did in the first days"), FEATURE, level=name, early=True)
