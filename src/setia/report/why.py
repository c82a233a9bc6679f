"""Why a customer is at risk, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from setia.kernel.i18n import Speaker
from setia.predictions.reasons import COLUMNS, MOST, REASONS

TRAITS = tuple(dict.fromkeys(name for reason in REASONS.values() for name in reason.traits))
"""The traits that their sentences are made of."""


def reasons(traits: Mapping[str, Any], speaker: Speaker, most: int = MOST) -> list[str]:
    """The customer's reasons as sentences without a full stop, weightiest first; none where none is known."""
    named = [traits.get(column) for column in COLUMNS]
    return [_sentence(name, traits, speaker) for name in named[:most] if name in REASONS]


def _sentence(name: str, traits: Mapping[str, Any], speaker: Speaker) -> str:
    reason = REASONS[name]
    return speaker(reason.sentence, **{each: speaker.number(traits[each], 0) for each in reason.traits})
