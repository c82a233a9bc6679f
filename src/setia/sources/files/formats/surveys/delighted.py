"""Delighted's responses, in the JSON of its interface."""

from __future__ import annotations

from setia.sources.files.layout import Layout, email, moment, phone, text, word

_SCALES = {
    "nps": 10, "enps": 10, "csat": 5, "csat3": 3, "ces": 5, "ces7": 7, "stars5": 5, "smileys": 5, "thumbs": 1,
}  # fmt: skip
_SCALE = "case kind " + " ".join(f"when '{kind}' then {top}" for kind, top in _SCALES.items()) + " end"
# Delighted's own numbers must not be taken for the shop's.
_KEY = "coalesce(email, phone, 'delighted:' || person)"

RESPONSES = Layout(
    name="Delighted: responses",
    roles={
        "response": text("id", required=True),
        "person": text("person.id", "person"),
        "email": email("person.email", "person_properties.email"),
        "phone": phone("person.phone_number"),
        "name": text("person.name"),
        "kind": word("survey_type", required=True),
        "score": text("score"),
        "comment": text("comment"),
        "permalink": text("permalink"),
        "answered_at": moment("created_at", required=True),
    },
    needs=("response", "kind", "score", "answered_at", "permalink"),
    facts={
        "customers": {"customer_id": "coalesce(email, phone)", "email": "email", "phone": "phone", "name": "name"},
        "answers": {
            "answer_id": "'delighted:' || response",
            "customer_id": _KEY,
            "survey": "kind",
            "score": "try_cast(score as bigint)",
            "scale": _SCALE,
            "comment": "comment",
            "answered_at": "answered_at",
        },
    },
)
