"""The words around the figures, in the reader's language."""

from __future__ import annotations

from setia.kernel.i18n import N_, Speaker

_LABELS = {
    "contents": N_("Contents"),
    "skip": N_("Skip to the report"),
    "table": N_("The figures as a table"),
    "how": N_("How this is calculated"),
    "open": N_("not complete yet"),
    "theme": N_("Appearance"),
    "theme_auto": N_("automatic"),
    "theme_light": N_("light"),
    "theme_dark": N_("dark"),
    "caution": N_("Please note"),
    "no_rows": N_("No data yet."),
    "occasion": N_("the calendar has something: see the table"),
    "analyst": N_("Pages for the analyst"),
    "analyst_show": N_("show"),
    "analyst_hide": N_("hide"),
    "reset": N_("Back to today's numbers"),
    "turn": N_("Turn the numbers"),
    "more_rows": N_("… and {n} more rows"),
}


def labels(speaker: Speaker) -> dict[str, str]:
    """Every word of the frame by its key; `more_rows` still has its place for `{n}`."""
    return {key: speaker(sentence) for key, sentence in _LABELS.items()}
