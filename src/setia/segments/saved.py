"""Segments with a name: the usual ones that every shop has, and the shop's own, YAML files in its workspace."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from setia.conditions.condition import BadCondition, Condition
from setia.customers import own
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.kernel.near import nearest

FOLDER = "segments"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")


class BadSegment(SetiaError):
    """The segment in {path} cannot be used: {problem}."""

    code = "segments.bad_segment"


class UnknownSegment(SetiaError):
    """There is no segment {name}.{near} `setia segments` lists them all."""

    code = "segments.unknown_segment"


@dataclass(frozen=True, slots=True)
class Segment:
    """A condition with a name."""

    name: str
    title: str
    """For people: an English sentence of Setia's, translated where it is shown, or the shop's own words."""
    condition: Condition
    is_own: bool
    """Whether it is the shop's own."""
    traits: tuple[str, ...] = ()
    """What the shop's own traits that it reads are made of."""

    @property
    def version(self) -> str:
        """The same as long as its condition, those it asks for and the shop's own traits in them are the same."""
        said = "\n".join((self.condition.meaning, *self.traits))
        return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()


USUAL: dict[str, tuple[str, str]] = {
    "new": (N_("New: first order in the last 30 days"), "purchase_days = 1 and days_since_first_order < 30"),
    "one_time": (
        N_("One-time buyers: one purchase, overdue for a second"), "purchase_days = 1 and gaps_of_silence > 1"
    ),
    "loyal": (N_("Loyal: four purchases or more, not overdue"), "stage = 'loyalty'"),
    "at_risk": (N_("At risk: bought again, overdue now"), "stage = 'dormant' and purchase_days >= 2"),
    "cannot_lose": (
        N_("Not to be lost: among the best by number and value of orders, overdue now"),
        "stage = 'dormant' and rfm_frequency >= 4 and rfm_value >= 4",
    ),
    "dormant": (N_("Dormant: silent for longer than the own rhythm explains"), "stage = 'dormant'"),
    "lost": (N_("Lost: silent for three times as long as that"), "stage = 'lost'"),
    "big_spenders": (N_("Big spenders: the fifth that has spent most"), "rfm_value = 5"),
    "discount_hunters": (
        N_("Discount hunters: two orders or more, half of them with a voucher"), "orders >= 2 and voucher_share >= 0.5"
    ),
    "promoters": (N_("Promoters: answered 9 or 10"), "last_nps >= 9"),
    "detractors": (N_("Detractors: answered 6 or less"), "last_nps <= 6"),
    "birthday": (N_("Birthday within a week"), "days_to_birthday < 7"),
    "due_this_week": (
        N_("Due this week by their own rhythm"),
        "purchase_days >= 2 and days_since_last_order <= usual_gap_days and days_since_last_order + 7 > usual_gap_days",
    ),
    "left_carts": (
        N_("Left a cart in the last week and bought nothing since"),
        "days_since_event('Product Added') < 7 and (days_since_last_order is null "
        "or days_since_last_order > days_since_event('Product Added'))",
    ),
    "best_for_lookalikes": (
        N_("Seed for look-alike audiences: loyal and among the best by value"), "stage = 'loyalty' and rfm_value = 5"
    ),
    "to_win_back": (
        N_("For remarketing: overdue or lost, and may be written to by e-mail"),
        "stage in ('dormant', 'lost') and reachable_email",
    ),
}  # fmt: skip
"""What the field asks for: by name, the title and the condition."""


def segments(workspace: Path) -> dict[str, Segment]:
    """Every segment by name: the usual ones, and those of `segments/*.yaml`, which win.

    Raises BadSegment, BadOwnTrait.
    """
    written = {path.stem: (path, _read(path)) for path in sorted((workspace / FOLDER).glob("*.yaml"))}
    texts = {name: condition for name, (_title, condition) in USUAL.items()}
    texts |= {name: str(document["condition"]) for name, (_path, document) in written.items()}
    shops_own = own.own_traits(workspace)
    words = own.words(shops_own, texts)

    def made_of(condition: Condition) -> tuple[str, ...]:
        return tuple(each.source for each in shops_own if each.name in condition.traits)

    found = {
        name: Segment(name, title, Condition.parse(texts[name], words, (name,)), is_own=False)
        for name, (title, _condition) in USUAL.items()
        if name not in written
    }
    for name, (path, document) in written.items():
        if not NAME.fullmatch(name):
            raise BadSegment(path=str(path), problem="the name of the file may have small letters, digits, `_` and `-`")
        try:
            condition = Condition.parse(texts[name], words, (name,))
        except BadCondition as problem:
            raise BadSegment(path=str(path), problem=str(problem.facts["problem"])) from problem
        found[name] = Segment(name, str(document.get("title", name)), condition, is_own=True, traits=made_of(condition))
    return found


def segment(workspace: Path, name: str) -> Segment:
    """One of them. Raises UnknownSegment, with the name that may have been meant."""
    known = segments(workspace)
    if name not in known:
        meant = nearest(name, known)
        raise UnknownSegment(name=name, near=f" Did you mean {meant}?" if meant else "")
    return known[name]


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise BadSegment(path=str(path), problem="it is no YAML file in UTF-8") from problem
    if not isinstance(document, dict) or not isinstance(document.get("condition"), str):
        raise BadSegment(path=str(path), problem="it needs a line `condition: …`")
    other = sorted(set(map(str, document)) - {"title", "condition"})
    if other:
        raise BadSegment(path=str(path), problem=f"it has {', '.join(other)}; known are title and condition")
    return document
