"""The stages of the life cycle: rules over a customer's own rhythm, each readable and replaceable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from setia.conditions.condition import BadCondition, Condition, Words
from setia.customers.trait import Trait
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.settings import StageSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir

SILENT_AFTER = 1.6
"""Usual gaps without an order after which a customer counts as dormant. If gaps are exponential, four customers in
five who are going to buy again have done so by then (1 - exp(-1.6) = 0.8); at one usual gap a third have not."""
LOST_AFTER = 3 * SILENT_AFTER
ENDED_LONG_AGO = 90
"""Days after the end of a subscription from which its subscriber counts as lost."""
LOYAL_FROM = 4
"""Purchase days that make a customer loyal while not silent."""

_NOT_RUNNING = "(subscription is null or subscription = 'ended')"
RULES: dict[str, str] = {
    "acquisition": "orders = 0 and subscription is null",
    "lost": f"{_NOT_RUNNING} and (gaps_of_silence > {LOST_AFTER:.1f} "
    f"or orders = 0 and days_since_subscription_ended > {ENDED_LONG_AGO})",
    "dormant": f"{_NOT_RUNNING} and (gaps_of_silence > {SILENT_AFTER} or orders = 0)",
    "reactivation": f"last_gap > {SILENT_AFTER} * gap_before_last",
    "loyalty": f"purchase_days >= {LOYAL_FROM} or days_subscribed >= 365",
    "retention": "purchase_days >= 2 or days_subscribed >= 60",
    "activation": "true",
}
"""By stage its condition; the first that holds is the customer's."""
STAGES: dict[str, str] = {
    "acquisition": N_("No order yet"),
    "activation": N_("New: one purchase, the next one is not overdue"),
    "retention": N_("Regular: bought again, not overdue"),
    "loyalty": N_("Loyal: four purchases or more, not overdue"),
    "reactivation": N_("Back: bought again after a long silence"),
    "dormant": N_("Dormant: silent for longer than the own rhythm explains"),
    "lost": N_("Lost: silent for three times as long as that"),
}
"""In the order in which a customer may pass through them."""
NAMES: dict[str, str] = {
    "acquisition": N_("No order yet"),
    "activation": N_("New"),
    "retention": N_("Regular"),
    "loyalty": N_("Loyal"),
    "reactivation": N_("Back again"),
    "dormant": N_("Dormant"),
    "lost": N_("Lost"),
}
"""The same in a word or two, for the heads of tables."""
ACTIONS: dict[str, str] = {
    "acquisition": N_("Make the first order easy: a welcome, the best sellers, a small offer that ends soon."),
    "activation": N_("Win the second order: thanks, how to use it, what goes with it, a reason to come back in time."),
    "retention": N_("Build the habit: remind when it runs out, suggest a subscription, ask what could be better."),
    "loyalty": N_("Reward and ask: early access, surprises, an invitation to bring friends. No discounts needed."),
    "reactivation": N_("Say welcome back, learn what had kept them away, make the next order easy."),
    "dormant": N_("Win back now, in steps: a reminder first, an offer later, each against a held-out group."),
    "lost": N_("Try once with your best reason to return, then stop writing: silence is cheaper."),
}
"""What the field does in each stage."""


class BadStage(SetiaError):
    """The rule of the stage {stage} in setia.toml cannot be used: {problem}."""

    code = "customers.bad_stage"


STAGE = Trait("stage", "text", N_("Stage of the life cycle"))
"""What it needs its rules say."""


def rules_of(own: StageSettings) -> dict[str, str]:
    """By stage the text of its rule, the shop's own in the place of the usual one."""
    return {name: getattr(own, name) or usual for name, usual in RULES.items()}


def rules(own: StageSettings, words: Words) -> dict[str, Condition]:
    """The condition of every stage, the shop's own in the place of the usual ones. Raises BadStage."""
    found = {}
    for name, text in rules_of(own).items():
        try:
            found[name] = Condition.parse(text, words)
        except BadCondition as problem:
            raise BadStage(stage=name, problem=str(problem.facts["problem"])) from problem
        if found[name].behaviours:
            raise BadStage(stage=name, problem="it asks what somebody did; a stage is a rule over traits")
    return found


def needs(conditions: Collection[Condition]) -> set[str]:
    """The traits that rules read."""
    return {name for condition in conditions for name in condition.traits}


def stage(traits: ir.Table, conditions: Mapping[str, Condition], scope: Scope) -> Any:
    """The stage of each row, as an Ibis expression: the first whose condition holds, else activation."""
    import ibis

    branches = [(each.on(traits, scope), name) for name, each in conditions.items()]
    return ibis.cases(*branches, else_="activation")
