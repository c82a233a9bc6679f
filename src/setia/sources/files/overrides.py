"""What a person says of a file against what Setia would understand by itself: the mapping file."""

from __future__ import annotations

import fnmatch
import glob
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from setia.sources.files.errors import FileMissing, MappingWrong
from setia.sources.files.values import PLAIN, AmountStyle
from setia.sources.files.values.amounts import WITH_COMMA, WITH_POINT

AMOUNTS = {style.name: style for style in (PLAIN, WITH_POINT, WITH_COMMA)}


_DIRECTIVES = r"%[aAbBdfgHIjmMpSuUVwWyYzZ%-]"
"""What strptime of DuckDB knows."""


@dataclass(frozen=True, slots=True)
class Override:
    """What is said of one file; what is not said is understood from the file."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Role to column."""
    format: str | None = None
    """The layout's name."""
    dates: str | None = None
    """A strptime format of all dates."""
    amounts: AmountStyle | None = None
    zone: str | None = None
    """IANA zone of times that name none."""
    source: str = ""
    """Which system the file is of, where two number their orders alike."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is said of files, each by a pattern of its name; `source` is the mapping file, for messages."""

    by_name: Sequence[tuple[str, Override]] = ()
    source: Path | None = None

    def of(self, file: str) -> Override:
        """What is said of a file by that name."""
        return next((said for pattern, said in self.by_name if fnmatch.fnmatch(file, pattern)), Override())


def from_mapping(given: Mapping[str, object], source: Path | None = None) -> Overrides:
    """Roles to columns for all files, or under `file` one section for each. Raises MappingWrong."""
    sections = given.get("file")
    if sections is None:
        return Overrides([("*", _override(given, source, ()))] if given else [], source)
    if not isinstance(sections, list) or not all(isinstance(each, Mapping) for each in sections):
        raise MappingWrong(path=source, problem="each file has a section of its own: [[file]]")
    return Overrides([(str(each.get("name", "*")), _override(each, source, ("name",))) for each in sections], source)


def read(path: Path) -> Overrides:
    """A mapping file. Raises FileMissing, MappingWrong."""
    import tomllib

    if not path.is_file():
        raise FileMissing(path=path)
    try:
        return from_mapping(tomllib.loads(path.read_text(encoding="utf-8")), path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise MappingWrong(path=path, problem=str(problem)) from problem


def written(exports: Iterable[tuple[str, str | None, Mapping[str, str], Mapping[str, list[str]]]]) -> str:
    """A mapping file that says what was understood: for each table its name, format, roles and examples."""
    text = [
        "# What Setia understood. Change what is wrong, then: setia import --map THIS-FILE ...",
        "# A line dates, amounts or time_zone holds for all of a file:",
        '#   dates = "%d/%m/%Y"    amounts = "1.234,56"    time_zone = "Asia/Jakarta"    source = "second shop"',
    ]
    for name, form, columns, examples in exports:
        text += ["", "[[file]]", f"name = {_toml(glob.escape(name))}"]
        text += [f"format = {_toml(form)}"] if form is not None else []
        text += ["[file.columns]"]
        for role, column in columns.items():
            shown = "".join(c for c in ", ".join(examples.get(role, [])) if c.isprintable())[:60]
            text.append(f"{role} = {_toml(column)}" + (f"  # {shown}" if shown else ""))
    return "\n".join(text) + "\n"


def _toml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _override(said: Mapping[str, object], source: Path | None, apart: Sequence[str]) -> Override:
    """Options and, beside them or under `columns`, roles; the keys `apart` are neither."""
    own = {str(key): value for key, value in said.items() if key not in ("columns", *apart)}
    inner = said.get("columns", {})
    if not isinstance(inner, Mapping):
        raise MappingWrong(path=source, problem='[columns] holds lines of the form role = "column name"')
    flat = {key: str(value) for key, value in {**own, **inner}.items()}
    zone, style = flat.pop("time_zone", None), flat.pop("amounts", None)
    if zone is not None and zone not in available_timezones():
        raise MappingWrong(path=source, problem=f"no time zone is called {zone!r}")
    if style is not None and style not in AMOUNTS:
        raise MappingWrong(path=source, problem=f"amounts = {style!r} is none of {', '.join(AMOUNTS)}")
    form, dates, system = flat.pop("format", None), flat.pop("dates", None), flat.pop("source", "")
    if dates is not None and re.sub(_DIRECTIVES, "", dates).count("%"):
        raise MappingWrong(path=source, problem=f"dates = {dates!r} is no form such as %d/%m/%Y %H:%M")
    return Override(flat, form, dates, AMOUNTS[style] if style else None, zone, system)
