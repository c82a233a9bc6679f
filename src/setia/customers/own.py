"""Traits of the shop's own: expressions in the workspace's `traits.yaml`, Python functions in its `traits.py`.

They are made at each refresh from everything else that is known of a customer, predictions included.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

from setia.conditions.behaviour import Behaviour, with_behaviour
from setia.conditions.condition import BadCondition, Condition, Words
from setia.customers.trait import TYPES, Kind, kind_in_conditions
from setia.customers.traits import TRAITS, WORDS
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

EXPRESSIONS, FUNCTIONS = "traits.yaml", "traits.py"
CONTACT = ("name", "email", "phone")
"""Columns of the contact list, which stand beside traits in lists."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SIGNATURES: tuple[tuple[str, ...], ...] = (("traits",), ("traits", "scope"), ("facts", "scope"))
_KINDS: dict[object, Kind] = {
    int: "integer", float: "number", str: "text", bool: "flag", dt.date: "day", Decimal: "money",
}  # fmt: skip


class BadOwnTrait(SetiaError):
    """The trait {name} in {path} cannot be used: {problem}."""

    code = "customers.bad_own_trait"


@dataclass(frozen=True, slots=True)
class OwnTrait:
    """One of the shop's own."""

    name: str
    kind: Kind
    title: str
    """In the shop's own words."""
    path: str
    of: Callable[[Snapshot, Any, Scope], Any]
    """From the facts and the rows of traits to the rows with a column of its name."""
    behaviours: frozenset[Behaviour] = frozenset()
    source: str = ""
    """Its expression, or the text of its function."""


def own_traits(workspace: Path) -> tuple[OwnTrait, ...]:
    """The shop's own traits in the order in which they are made: each may read those before it. Raises BadOwnTrait."""
    found: dict[str, OwnTrait] = {}
    for trait in (*_expressions(workspace), *_functions(workspace)):
        if not _NAME.fullmatch(trait.name):
            raise _bad(trait.name, trait.path, "a name is small letters, digits and `_`, a letter first")
        if trait.name in TRAITS or trait.name in found or trait.name in CONTACT:
            raise _bad(trait.name, trait.path, "there is a trait of that name already")
        found[trait.name] = trait
    return tuple(found.values())


def words(own: tuple[OwnTrait, ...], segments: Mapping[str, str] | None = None) -> Words:
    """What conditions may read: Setia's traits and the shop's own."""
    return Words({**WORDS.traits, **{each.name: kind_in_conditions(each.kind) for each in own}}, segments)


def with_own(facts: Snapshot, scope: Scope, traits: Any, own: tuple[OwnTrait, ...]) -> Any:
    """The rows of traits with the shop's own beside them; all that they ask of behaviour is answered in one pass.

    Raises BadOwnTrait.
    """
    asked = frozenset().union(*(each.behaviours for each in own)) if own else frozenset()
    found = with_behaviour(facts, scope, traits, asked)
    for each in own:
        found = each.of(facts, found, scope)
    return found.drop(*(each.column for each in asked)) if asked else found


def _bad(name: str, path: str, problem: str) -> BadOwnTrait:
    return BadOwnTrait(name=name, path=path, problem=problem)


def _expressions(workspace: Path) -> list[OwnTrait]:
    import yaml

    path = workspace / EXPRESSIONS
    if not path.is_file():
        return []
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise _bad("–", str(path), "the file is no YAML in UTF-8") from problem
    if not isinstance(document, dict):
        raise _bad("–", str(path), "the file needs a line `name:` for each trait, with `expression:` below it")
    found: dict[str, OwnTrait] = {}
    for name, said in document.items():
        if not isinstance(said, dict) or not isinstance(said.get("expression"), str):
            raise _bad(str(name), str(path), "it needs a line `expression: …`")
        if other := sorted(set(map(str, said)) - {"title", "expression"}):
            raise _bad(str(name), str(path), f"it has {', '.join(other)}; known are title and expression")
        try:
            expression = Condition.expression(said["expression"], words(tuple(found.values())))
        except BadCondition as problem:
            raise _bad(str(name), str(path), str(problem.facts["problem"])) from problem
        title = str(said.get("title", name))
        found[str(name)] = _expressed(str(name), title, str(path), expression)
    return list(found.values())


def _expressed(name: str, title: str, path: str, expression: Condition) -> OwnTrait:
    kind: Kind = expression.kind  # type: ignore[assignment]

    def of(_facts: Snapshot, rows: Any, scope: Scope) -> Any:
        value = expression.on(rows, scope) if kind == "flag" else expression.value(rows, scope)
        return rows.mutate(**{name: _typed(value, kind)})

    return OwnTrait(name, kind, title, path, of, expression.behaviours, expression.text)


def _typed(value: Any, kind: Kind) -> Any:
    return value.cast(TYPES[kind]) if kind in TYPES else value


def _functions(workspace: Path) -> list[OwnTrait]:
    path = workspace / FUNCTIONS
    if not path.is_file():
        return []
    module = _loaded(path)
    own = [
        each
        for name, each in vars(module).items()
        if inspect.isfunction(each) and each.__module__ == module.__name__ and not name.startswith("_")
    ]
    return [_function(each, str(path)) for each in own]


def _loaded(path: Path) -> ModuleType:
    """The file run as it is; nothing is left beside it."""
    module = ModuleType("setia_own_traits")
    module.__file__ = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as problem:
        raise _bad("–", str(path), f"running it ends in {type(problem).__name__}: {problem}") from problem
    return module


def _function(function: Callable[..., Any], path: str) -> OwnTrait:
    name = function.__name__
    given = tuple(inspect.signature(function).parameters)
    if given not in _SIGNATURES:
        raise _bad(name, path, "a function takes (traits), (traits, scope) or (facts, scope)")
    try:
        kind = _KINDS.get(get_type_hints(function).get("return"))
    except Exception as problem:
        raise _bad(name, path, f"its types cannot be read: {problem}") from problem
    if kind is None:
        raise _bad(name, path, "write what it gives: -> int, float, str, bool, date or Decimal")
    title = (inspect.getdoc(function) or name).splitlines()[0]

    def of(facts: Snapshot, rows: Any, scope: Scope) -> Any:
        try:
            if given[0] == "facts":
                return _joined(rows, function(facts, scope), name, kind)
            return rows.mutate(**{name: _typed(_fitting(function(*(rows, scope)[: len(given)]), kind), kind)})
        except Exception as problem:
            raise _bad(name, path, f"it ends in {type(problem).__name__}: {problem}") from problem

    return OwnTrait(name, kind, title, path, of, source=Path(path).read_text(encoding="utf-8"))


def _fitting(value: Any, kind: Kind) -> Any:
    """The value, if it is of the kind that was written. Raises TypeError."""
    import ibis

    told = ibis.literal(value) if isinstance(value, bool | int | float | str | dt.date | Decimal) else value
    found = told.type()
    fits = {"text": found.is_string(), "flag": found.is_boolean(), "day": found.is_date()}.get(kind, found.is_numeric())
    if not fits:
        raise TypeError(f"it gives {found}, and says that it gives a {kind}")
    return told


def _joined(rows: Any, told: Any, name: str, kind: Kind) -> Any:
    """The rows with a value from a table that has it beside a `customer_id`, at most one for each."""
    columns = [each for each in told.columns if each != "customer_id"]
    if len(columns) != 1 or len(told.columns) != 2:
        raise TypeError("give a table with customer_id and one more column")
    value = _fitting(told[columns[0]], kind)
    one = told.group_by("customer_id").aggregate(**{name: _typed(value.max(), kind)})
    return rows.left_join(one, "customer_id").drop("customer_id_right")
