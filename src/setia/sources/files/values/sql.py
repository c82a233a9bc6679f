"""The small words that the expressions over text columns are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from setia.warehouse.duck import literal

EARLIEST, LATEST = "1900-01-01", "2200-01-01"
"""No fact lies outside; a date that does was not meant."""

Count = Callable[[str], int]
"""How many values of the column a DuckDB expression reads."""


def within(moment: str) -> str:
    """A time or day, as a DuckDB expression; null where it is nobody's."""
    return f"case when {moment} > '{EARLIEST}' and {moment} < '{LATEST}' then {moment} end"


def let(name: str, value: str, body: str) -> str:
    """`body` with `name` standing for `value`, which is worked out once. Names begin with `its_`, to hide no column."""
    return f"list_transform([{value}], lambda its_{name}: {body})[1]"


def matches(text: str, pattern: str) -> str:
    """Whether a pattern is found in the text."""
    return f"regexp_matches({text}, {literal(pattern)})"


def where(condition: str) -> str:
    """Something to count: not null where the condition holds."""
    return f"case when {condition} then 1 end"


def rewritten(text: str, steps: Iterable[tuple[str, str]], *, everywhere: bool = False) -> str:
    """The text after a chain of replacements, each of the first match or of all."""
    options = ", 'g'" if everywhere else ""
    for pattern, replacement in steps:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)}{options})"
    return text


def one_of(words: Iterable[str]) -> str:
    """A pattern of one of the words, the longest first."""
    return "(?:" + "|".join(sorted(words, key=lambda word: (-len(word), word))) + ")"


def looked_up(key: str, meanings: dict[str, str] | dict[str, int]) -> str:
    """What a word means, null where it is none of these."""
    entries = ", ".join(f"{literal(word)}: {literal(meaning)}" for word, meaning in meanings.items())
    return f"map {{{entries}}}[{key}]"
