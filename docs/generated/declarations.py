"""The pages that list declarations: facts, traits, metrics, settings, the programme document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from docs.generated.map import ROOT
from docs.generated.markdown import code, paragraphs, table
from setia.conditions import condition
from setia.conditions.behaviour import FUNCTIONS, SOURCES
from setia.customers import rfm
from setia.customers.stages import ACTIONS, RULES, STAGES
from setia.customers.traits import GROUPS
from setia.facts import FACTS, FactTable, Kind
from setia.facts.schema import Field
from setia.kernel.i18n import Speaker
from setia.metrics.attributes import ATTRIBUTES
from setia.metrics.benchmarks import benchmarks
from setia.metrics.catalogue import FAMILIES
from setia.metrics.measure import Measure
from setia.metrics.metric import Metric
from setia.metrics.reasons import REASONS
from setia.metrics.views import VIEWS
from setia.programmes.journeys.models import Journey, playbooks
from setia.settings import Settings

KINDS = {
    Kind.TEXT: "text", Kind.INSTANT: "instant", Kind.DAY: "day", Kind.INTEGER: "integer", Kind.AMOUNT: "amount",
    Kind.RATE: "rate", Kind.FLAG: "flag",
}  # fmt: skip
FACTS_INTRODUCTION = f"""# Facts

*For the analyst who asks in SQL, and the engineer who writes files.* A fact table says what happened, one row per
happening. `setia sql` sees these tables under these names, empty ones included.

## Setia's own layout

A file (CSV, Parquet, a sheet of a workbook, JSON Lines …) holds one table, under the column names below. It is known by
its name (`orders.csv`, `orders.2026-08.csv.gz`) or, failing that, by its columns alone.

- Required columns must be there and filled; any other may be missing or empty. A missing column takes the value of the
  column named as its default; a missing `currency` is the shop's. A column that no table knows is left out and named.
- An *instant* is ISO 8601, or a form such as `31/08/2026 14:05` that holds for the whole column. Without a zone it is
  the shop's time. It is kept in UTC.
- A *day* is a calendar day in the shop's time zone, computed once, at import.
- An *amount* has at most four digits after a decimal point: `DECIMAL(18,4)`.
- An e-mail address as `customer_id`, or a telephone number in international form (`+628123456789`), is replaced by a
  pseudonym; in `email` the address is kept, in lower case. Other telephone numbers stay as they are written.
- A row replaces all old rows with the same key. Tables marked *merged* fill in instead: an empty cell keeps what was
  known.

Files that are not in this layout are read too: see [Import your orders](../how-to/import-your-orders.md) and
[File formats](formats.md).

| type | DuckDB type |
| --- | --- |
{chr(10).join(f"| {name} | `{kind.value}` |" for kind, name in KINDS.items())}
"""


def facts() -> str:
    """Every fact table."""
    return "\n\n".join([FACTS_INTRODUCTION.strip(), *(_fact_table(fact) for fact in FACTS.values())])


def _fact_table(fact: FactTable) -> str:
    notes = [
        f"key: {', '.join(code(name) for name in fact.key)}",
        f"files cut by the month of {code(fact.month_of)}" if fact.month_of else "one file",
        f"schema version {fact.version}",
        *(["merged"] if fact.merged else []),
    ]
    rows = [(code(f.name), KINDS[f.kind], _needed(f), f.meaning) for f in fact.fields]
    listing = table(("column", "type", "if missing", "meaning"), rows)
    return f"## {fact.name}\n\n{fact.meaning}\n\n*{'; '.join(notes)}*\n\n{listing}"


def _needed(field: Field) -> str:
    if field.required:
        return "required"
    if field.name == "currency":
        return "the shop's"
    return f"from {code(field.default)}" if field.default else "empty"


TRAITS_INTRODUCTION = """# Traits

*For whoever writes an audience or asks in SQL.* A trait is one thing known of a customer. `setia refresh` keeps the
table `traits`, one row per customer, up to date. The columns from `chance_active` on are predictions
([what they are worth](../explanation/predictions.md)); they are empty where there is too little history.
Days are whole days; `usual_gap_days` is explained in [A customer's own rhythm](../explanation/own-rhythm.md).
"""


STAGES_INTRODUCTION = """
The values of `stage`, in the order in which the rules are tried. `[customers.stages]` in `setia.toml` puts rules of
your own in their place.
"""
RFM_INTRODUCTION = """
The values of `rfm_group` by `rfm_recency` and the mean of `rfm_frequency` and `rfm_value`, halves upwards. Scores are
fifths of the buyers: by the share of those with another value who have a lower one, so that the lowest score 1 and the
highest 5; `rfm_days`, `rfm_purchase_days` and `rfm_revenue` under `[customers]` in `setia.toml` give fixed cuts instead.
"""


def traits() -> str:
    """Every trait, the stages, and the condition language."""
    indonesian, malay = Speaker.of("id"), Speaker.of("ms")
    heads = ("trait", "kind", "meaning", "artinya", "maksud")
    listed = [
        f"## {title}\n\n"
        + table(
            heads,
            [
                (code(trait.name), trait.kind, trait.meaning, indonesian(trait.meaning), malay(trait.meaning))
                for trait in group
            ],
        )
        for title, group in GROUPS.items()
    ]
    stages = table(
        ("stage", "meaning", "the first of these rules that holds", "what shops do"),
        [(code(name), STAGES[name], code(rule), ACTIONS[name]) for name, rule in RULES.items()],
    )
    places = table(
        ("how recent", *(f"how often and how much: {n}" for n in range(1, 6))),
        [(str(recency), *(rfm.GROUPS[name] for name in row)) for recency, row in rfm.MAP.items()],
    )
    return "\n\n".join(
        [
            TRAITS_INTRODUCTION.strip(),
            *listed,
            f"## Stages\n\n{STAGES_INTRODUCTION.strip()}\n\n{stages}",
            f"## The RFM map\n\n{RFM_INTRODUCTION.strip()}\n\n{places}",
            f"## Conditions\n\n{paragraphs(condition)}",
            _functions(),
        ]
    )


def _functions() -> str:
    """The functions that ask what somebody did."""
    days = {"no": "", "may": "[days]", "must": "days"}
    rows = [
        (
            code(f"{name}({', '.join(filter(None, [*['event'] * known.names, days[known.days], '[condition]']))})"),
            known.kind,
            known.source,
            known.meaning,
        )
        for name, known in FUNCTIONS.items()
    ]
    columns = [(name, ", ".join(code(column) for column in known.columns)) for name, known in SOURCES.items()]
    return "\n\n".join(
        [
            "## What somebody did",
            table(("function", "gives", "asks", "meaning"), rows),
            "The condition at the end reads the columns of the happenings themselves:",
            table(("happenings", "columns"), columns),
        ]
    )


METRICS_INTRODUCTION = """# Metrics

*For the analyst.* `setia metrics` shows them all, `shop.metrics` asks one. A **measure** is one number for a window of
time: it can be had over time (`every`), by an attribute (`by`) and beside the window before and the year before, and the
customers behind each of its counts can be listed. Other metrics are tables of their own shape.

Every answer names its denominator and holds for what happened before `as_of` in the shop's time zone, by default the day
after the last recorded one. A value that is not there is null, with a word from [the last table](#why-a-figure-is-empty).
What is not complete yet is null and `mature` is false; it enters no average. Shares come with their 95 % interval. The
tests compare each metric with its check, a query written by hand without looking at the code, and with a worked example;
DuckDB and Spark give the same numbers.
"""


def metrics() -> str:
    """Every metric, what they can be broken down by, the views, and why a figure is empty."""
    parts = [METRICS_INTRODUCTION.strip()]
    for family, known in FAMILIES.items():
        parts.append(f"## {family}")
        parts += [_metric(metric) for metric in known]
    return "\n\n".join([*parts, _attributes(), _views(), _usual(), _reasons()])


def _metric(metric: Metric) -> str:
    path = f"src/setia/metrics/checks/{metric.check or metric.name}.sql"
    assert (ROOT / path).is_file(), f"the metric {metric.name} has no check"
    titles = " · ".join(Speaker.of(language)(metric.title) for language in ("en", "id", "ms"))
    kind = "measure" if isinstance(metric, Measure) else "table"
    shown = {name: value for name, value in metric.options().items() if name != "shift"}
    rows = [
        ("title", titles),
        ("formula", metric.formula),
        ("population", metric.population),
        ("kind, unit", f"{kind}, {metric.unit}"),
        ("better", metric.better),
        ("facts", ", ".join(code(name) for name in metric.needs)),
        ("options", ", ".join(code(f"{name}={value!r}") for name, value in shown.items())),
    ]
    if isinstance(metric, Measure):
        rows.append(("parts", "; ".join(f"{code(part.name)} {part.title}" for part in metric.parts)))
        if metric.own:
            rows.append(("own attributes", ", ".join(code(name) for name in metric.own)))
    rows += [("source", metric.source), ("check", f"[`{path}`](../../{path})")]
    return f"### {metric.name}\n\n{metric.title}\n\n{table(('', ''), rows)}"


def _attributes() -> str:
    rows = [(code(each.name), each.title) for each in ATTRIBUTES.values()]
    return f"""## What figures are broken down by

`by` takes the name of an attribute, one of the measure's own attributes, or in the terminal `segment: CONDITION` (in
Python `shop.breakdown("segment: …")`): customers who met the [condition](traits.md#conditions) when the window began.
Attributes are those of the first order or of the person, never of what followed: whoever first bought on the web and
came back in the app stays with the web.

{table(("attribute", "meaning"), rows)}"""


def _views() -> str:
    parts = []
    for name, view in VIEWS.items():
        rows = [(code(column), meaning) for column, meaning in view.columns.items()]
        parts.append(f"### {name}\n\n{view.meaning}\n\n{table(('column', 'meaning'), rows)}")
    return (
        "## Views for SQL\n\n`setia sql` knows these views beside the [fact tables](facts.md): what metrics are made of, as "
        "of the day after the last recorded one.\n\n" + "\n\n".join(parts)
    )


def _usual() -> str:
    rows = [
        (code(each.metric), f"{each.low:.0%} to {each.high:.0%}", ", ".join(f"{k}={v}" for k, v in each.options.items()),
         each.source, each.caution)
        for each in benchmarks({}).values()
    ]  # fmt: skip
    return (
        "## What is usual elsewhere\n\nShown beside the shop's own figure on the same terms, never instead of it. "
        "`[benchmarks]` in [setia.toml](settings.md#benchmarks) puts your own trade's ranges in their place.\n\n"
        + table(("metric", "range", "asked with", "source", "caution"), rows)
    )


def _reasons() -> str:
    rows = [(code(name), sentence) for name, sentence in REASONS.items()]
    return f"## Why a figure is empty\n\n{table(('reason', 'meaning'), rows)}"


SETTINGS_INTRODUCTION = """# Settings

*For whoever sets Setia up.* Settings stand in `setia.toml` in the workspace. Every line may be left out. An environment
variable wins over the file. An unknown key is an error. Secrets are best given as `*_file`: the path of a file that
holds nothing else.
"""


NAMES_OF_OWN = {"targets": "[targets]", "benchmarks": "[benchmarks]", "calendar": "[[calendar]]"}
"""Tables of `setia.toml` whose keys, or whose number, the shop chooses."""


def settings() -> str:
    """Every setting."""
    parts = [SETTINGS_INTRODUCTION.strip()]
    for name, section in Settings.model_fields.items():
        model = section.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            parts.append(f"## {NAMES_OF_OWN[name]}\n\n{section.description}.")
            continue
        parts += _section(name, model)
    return "\n\n".join(parts)


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    """A table of `setia.toml`, and those inside it."""
    inside = {key: field.annotation for key, field in model.model_fields.items() if _is_section(field.annotation)}
    rows = [_setting(name, key, field) for key, field in model.model_fields.items() if key not in inside]
    listing = table(("key", "type", "default", "environment variable", "meaning"), rows)
    yield f"## [{name}]\n\n{paragraphs(model)}\n\n{listing}"
    for key, each in inside.items():
        yield from _section(f"{name}.{key}", each)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _setting(section: str, key: str, field: Any) -> tuple[str, ...]:
    variable = f"SETIA_{section}__{key}".replace(".", "__").upper()
    return code(key), _kind(field), code(_shown(field.default)), code(variable), field.description or ""


def _kind(field: Any) -> str:
    text = str(field.annotation) if not isinstance(field.annotation, type) else field.annotation.__name__
    if text == "tuple[str, ...]":
        return "list of text"
    choices = text.removeprefix("typing.Literal[").removesuffix("]").replace("'", "")
    if choices != text:
        return ", ".join(code(choice) for choice in choices.split(", "))
    if text.startswith("tuple[float"):
        return "four numbers that rise"
    plain = text.removesuffix(" | None").replace("pydantic.types.", "").replace("pathlib.", "")
    return {"str": "text", "int": "whole number", "float": "number", "SecretStr": "secret", "Path": "path"}.get(
        plain, plain
    )


def _shown(default: object) -> object:
    return {"": '""', (): "[]"}.get(default, default)  # type: ignore[call-overload]


PROGRAMME_INTRODUCTION = """# The programme document

*For whoever writes a programme.* A programme is a YAML file in `programmes/` of the workspace, or a playbook that ships
with Setia (PLAYBOOKS). [`programme.schema.json`](programme.schema.json) is its JSON Schema; an editor that is given
it completes and checks while you type. `setia plan FILE` checks the file too and changes nothing. Texts are given in
English, Indonesian and Malay (`en`, `id`, `ms`) and filled in with Liquid: `{{ name }}`, `{{ shop }}`, `{{ offer }}`,
`{{ code }}`, `{{ expires }}`. The last three are empty where there is no offer.
"""


def programme_schema() -> dict[str, Any]:
    """The JSON Schema of a programme."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Journey.model_json_schema()}


def programme() -> str:
    """The fields of a programme, part by part."""
    listed = ", ".join(code(name) for name in playbooks())
    return "\n\n".join([PROGRAMME_INTRODUCTION.replace("PLAYBOOKS", listed).strip(), *_parts(programme_schema())])


def _parts(schema: dict[str, Any]) -> Iterator[str]:
    titles = {"Journey": "The document", "Enter": "enter", "Measure": "measure", "Step": "steps", "OfferSpec": "offer"}
    definitions = {"Journey": schema, **schema["$defs"]}
    for name, title in titles.items():
        part = definitions[name]
        rows = [
            (code(key), _bounds(field), "required" if key in part.get("required", ()) else _default(field),
             field.get("description", ""))
            for key, field in part["properties"].items()
        ]  # fmt: skip
        yield f"## {title}\n\n{part['description']}\n\n{table(('field', 'type', 'default', 'meaning'), rows)}"


def _default(field: dict[str, Any]) -> str:
    return code(field["default"]) if field.get("default") is not None and not isinstance(field["default"], dict) else ""


_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below",
           "minItems": "at least", "maxItems": "at most", "pattern": "matching"}  # fmt: skip


def _bounds(field: dict[str, Any]) -> str:
    choices = field.get("anyOf", [field])
    if {"number", "string"} <= {choice.get("type") for choice in choices} and "const" not in choices[-1]:
        choices = choices[:1]  # a decimal may be written as text too, which is not worth a word
    return " or ".join(_one(choice) for choice in choices if choice.get("type") != "null")


_NAMES = {"string": "text", "integer": "whole number", "array": "list", "object": "text in each language"}


def _one(field: dict[str, Any]) -> str:
    if "$ref" in field:
        part = field["$ref"].rpartition("/")[2].removesuffix("Spec").lower()
        return f"see [{part}](#{part})"
    if "const" in field:
        return code(field["const"])
    if "enum" in field:
        return ", ".join(code(value) for value in field["enum"])
    kind = field.get("type", "")
    limits = [f"{word} {code(field[key])}" for key, word in _BOUNDS.items() if key in field]
    return ", ".join([_NAMES.get(kind, kind), *limits])
