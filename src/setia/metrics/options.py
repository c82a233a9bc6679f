"""What a metric may be asked with: every option once, with what it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

from setia.history.windows import EVERY
from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest

MOST_DAYS, MOST_WINDOWS, MOST_COHORTS, MOST_MONTHS = 36_525, 500, 1_000, 600
MOST_YEARS = 1_000
"""How far back windows reach together."""


class UnknownOption(SetiaError):
    """There is no option {name} of {metric}.{near} The options are {choices}."""

    code = "metrics.unknown_option"


class BadOption(SetiaError):
    """The option {name} is {given}; it takes {takes}."""

    code = "metrics.bad_option"


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _up_to(most: int) -> tuple[Callable[[Any], bool], str]:
    return lambda value: _whole(value, 1, most), f"a whole number from 1 to {most:,}"


def _one_of(*choices: str) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, str) and value in choices, "one of " + ", ".join(choices)


OPTIONS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "window_days": _up_to(MOST_DAYS),
    "last": _up_to(MOST_WINDOWS),
    "every": _one_of(*EVERY),
    "by": (
        lambda value: isinstance(value, str) or (hasattr(value, "joined") and not isinstance(value, type)),
        "an attribute's name",
    ),
    "shift": (callable, "a function from a window to the one it is compared with"),
    "gap": (
        lambda value: value in ("first", "later", "all") if isinstance(value, str) else _whole(value, 1, 10_000),
        "first, later, all, or the number of the purchase before the gap",
    ),
    "what": _one_of("revenue", "margin"),
    "most_cohorts": _up_to(MOST_COHORTS),
    "months": _up_to(MOST_MONTHS),
    "by_channel": (lambda value: isinstance(value, bool), "true or false"),
    "kind": _one_of("on", "on_or_after", "bracket"),
    "clock": _one_of("calendar", "since_first"),
    "brackets": (
        lambda value: (
            isinstance(value, tuple | list)
            and bool(value)
            and all(map(_is_bracket, value))
            and len(set(map(tuple, value))) == len(value)
        ),
        "different pairs of ages such as ((1, 1), (2, 3)), the lower one first",
    ),
}


def _is_bracket(pair: Any) -> bool:
    return (
        isinstance(pair, tuple | list)
        and len(pair) == 2
        and all(_whole(age, 0, MOST_COHORTS) for age in pair)
        and pair[0] <= pair[1]
    )


def checked(metric: str, known: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are given; None stands for the default. Raises UnknownOption, BadOption."""
    # Whole numbers of other libraries are whole numbers too.
    whole = {name: int(v) if isinstance(v, Integral) and not isinstance(v, bool) else v for name, v in options.items()}
    for name, given in whole.items():
        if name not in known:
            meant = nearest(name, known)
            near = f" Did you mean {meant}?" if meant else ""
            raise UnknownOption(metric=metric, name=name, near=near, choices=", ".join(known) or "none")
        takes, said = OPTIONS[name]
        if given is not None and not takes(given):
            raise BadOption(name=name, given=repr(given), takes=said)
    days = (whole.get("window_days") or 0) * (whole.get("last") or 1)
    if whole.get("every") is None and days > MOST_YEARS * 366:
        raise BadOption(name="last", given=repr(whole["last"]), takes="fewer windows of that length")
    return {name: given for name, given in whole.items() if given is not None}
