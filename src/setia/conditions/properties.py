"""What an event carries beside its columns: fields of its JSON object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from setia.history.marks import get_json_object

if TYPE_CHECKING:
    from sqlglot import expressions as sql

PROPERTIES = {"property": "text", "number": "number"}
"""The functions that read one, with the kind of what they give."""
_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\z"


def property_of(node: sql.Expression) -> str | None:
    """The name that a call of one of the functions asks for; None for any other call."""
    given = node.expressions
    if node.name.lower() not in PROPERTIES or len(given) != 1:
        return None
    written = type(given[0]).__name__ == "Literal" and given[0].is_string and _NAME.fullmatch(given[0].name)
    return str(given[0].name) if written else None


def told_property(properties: Any, name: str, kind: str) -> Any:
    """The field of a column of JSON objects, null where there is none or, for a number, where it is not one."""
    text = get_json_object(properties, f"$.{name}")
    return text.re_search(_NUMBER).ifelse(text, None).cast("float64") if kind == "number" else text
