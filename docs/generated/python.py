"""The public Python API: functions, the shop and what hangs on it, and the values that come back."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from typing import Any

import setia
from docs.generated.markdown import code, paragraphs, table
from setia import app
from setia.effects.lift import CostPerIncremental, Lift
from setia.history.scope import Scope
from setia.kernel.statistics import Interval, Proportion
from setia.messaging.render import Written
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import Measure
from setia.metrics.metric import Listing
from setia.metrics.service import Metrics
from setia.metrics.variants import Variant
from setia.metrics.watch import Target, Watched
from setia.predictions.backtest import Against, BackTest
from setia.predictions.drift import Drift
from setia.predictions.drivers.drivers import Driver, Drivers
from setia.predictions.models.bg_bb import BGBB
from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.covariates import WithCovariates
from setia.predictions.models.gamma_gamma import GammaGamma
from setia.predictions.models.hazard import DiscreteTimeHazard
from setia.predictions.models.mbg_cnbd import MBGCNBD
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.pareto_nbd import ParetoNBD
from setia.predictions.models.survivors import BetaDiscreteWeibull, ShiftedBetaGeometric
from setia.predictions.outlook import Card
from setia.predictions.products.judge import Judged, Judgement
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.rules import Rules
from setia.predictions.scoring import Score
from setia.predictions.service import Predictions
from setia.predictions.subscribers import RiskCheck, SubscriberRisks
from setia.programmes.journeys.desk import Journeys, Worked
from setia.programmes.journeys.placebo import Placebo
from setia.programmes.journeys.planning import Plan
from setia.programmes.journeys.results import Result
from setia.programmes.journeys.service import Running
from setia.refresh import Refreshed
from setia.sources.files.bridge import Account, Bridge
from setia.sources.files.importing import FileReport, ImportReport, Preview
from setia.sources.files.totals import Totals
from setia.sources.files.understood import Understood
from setia.warehouse.reader import Reader
from setia.warehouse.writer import Replaced

INTRODUCTION = """# Python

*For the analyst and the engineer.* What is not on this page is private and may change. Times are zone-aware and in UTC;
days are the shop's own; money is in the shop's currency; shares and differences are fractions. Errors are listed in
[errors](errors.md), columns in [facts](facts.md) and [traits](traits.md).

```python
import setia
from setia.settings import ShopSettings

setia.init("kopi", ShopSettings(name="Kopi", currency="IDR"))
with setia.open("kopi") as shop:
    print(shop.metrics.repeat_purchase().figures)
```
"""
VALUES = (
    ImportReport, FileReport, Preview, Totals, Understood, Bridge, Account, Replaced, Refreshed, Card, Drift, Scope, Answer,
    BackTest, Score, Against, Drivers, Driver, SubscriberRisks, RiskCheck, Rules, Judgement, Judged,
    Watched, Target, Variant, Plan, Placebo, Written, Running, Worked, Result, Lift, Proportion, Interval, CostPerIncremental,
)  # fmt: skip
MODELS = (
    MBGNBD, BGNBD, MBGCNBD, ParetoNBD, GammaGamma, BGBB, WithCovariates, ShiftedBetaGeometric, BetaDiscreteWeibull,
    DiscreteTimeHazard,
)  # fmt: skip
MODELS_INTRODUCTION = """## Models alone

For those who want a model without a shop: `fit` takes arrays with the field's column names (`frequency`, `recency`, `T`,
`monetary_value`), `get_params` tells what was found, attributes that end in an underscore are there after a fit.

```python
import numpy as np

from setia.predictions.models.mbg_nbd import MBGNBD

x, t_x, T = np.array([2, 0, 4] * 20), np.array([30.4, 0.0, 29.9] * 20), np.array([38.9, 38.9, 38.9] * 20)
model = MBGNBD().fit(x, t_x, T)
print(model.get_params(), model.expected_purchases(13.0, x, t_x, T)[:3])
```
"""
READER = ("rows", "table", "arrow", "query")
"""What a reader offers to the outside."""
_PRIVATE_DOORS = {"writing", "identity"}


def page() -> str:
    """The page."""
    parts = [
        INTRODUCTION.strip(),
        "## setia",
        _function(setia.open, "setia.open"),
        _function(app.init, "setia.init"),
        _class(setia.Shop, "Shop", "shop"),
        _class(Metrics, "shop.metrics", "shop.metrics"),
        _metrics(),
        _class(Journeys, "shop.programmes", "shop.programmes"),
        _class(Predictions, "shop.predictions", "shop.predictions"),
        _class(Recommender, "Recommender", "recommender"),
        MODELS_INTRODUCTION.strip(),
        *(_class(model, f"{model.__module__}.{model.__name__}", "model") for model in MODELS),
        _class(Reader, "Reader", "reader", READER),
        "## Values that come back",
        *(_value(each) for each in VALUES),
    ]
    return "\n\n".join(parts)


def _function(function: Any, name: str) -> str:
    return f"### `{name}{_signature(function)}`\n\n{paragraphs(function)}"


def _metrics() -> str:
    """How the methods named after metrics are called: measures all alike, the others each in its own way."""
    measures = [name for name, metric in METRICS.items() if isinstance(metric, Measure)]
    parts = [
        "## The metrics as methods",
        f"### `shop.metrics.<measure>(*, as_of=None, {_options(Measure.ask)})`",
        f"For {', '.join(code(name) for name in measures)}.",
        paragraphs(Measure.ask),
    ]
    for name, metric in METRICS.items():
        if isinstance(metric, Listing):
            answers = inspect.unwrap(metric.answers)
            options = _options(answers)
            parts.append(f"### `shop.metrics.{name}(*, as_of=None{f', {options}' if options else ''})`")
            parts.append(paragraphs(answers))
    return "\n\n".join(parts)


def _options(function: Any) -> str:
    """The keyword-only arguments as written in the source."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(found, ast.FunctionDef)
    only = ast.arguments([], [], None, found.args.kwonlyargs, found.args.kw_defaults, None, [])
    return ast.unparse(only).removeprefix("*, ")


def _signature(function: Any) -> str:
    """As written in the source, so that defaults read as they do there."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(found, ast.FunctionDef)
    found.args.args = [argument for argument in found.args.args if argument.arg not in ("self", "cls")]
    returns = f" -> {ast.unparse(found.returns)}" if found.returns else ""
    return f"({ast.unparse(found.args)}){returns}"


def _class(cls: type, title: str, owner: str, only: tuple[str, ...] = ()) -> str:
    parts = [f"## {title}", paragraphs(cls)]
    for name, member in vars(cls).items():
        if name.startswith("_") or name in _PRIVATE_DOORS or (only and name not in only):
            continue
        function = getattr(member, "__func__", None) or getattr(member, "func", None) or member
        if not inspect.isfunction(function):
            continue
        function = inspect.unwrap(function)
        if function is not member and not isinstance(member, classmethod) and hasattr(member, "func"):
            parts.append(f"### `{owner}.{name}`\n\n{paragraphs(function)}")
        else:
            parts.append(_function(function, f"{cls.__name__ if isinstance(member, classmethod) else owner}.{name}"))
    return "\n\n".join(parts)


def _value(cls: type) -> str:
    meanings = attribute_docstrings(cls)
    rows = [(code(f.name), code(f.type), meanings.get(f.name, "")) for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    return f"### {cls.__name__}\n\n{paragraphs(cls)}\n\n{table(('field', 'type', 'meaning'), rows)}"


def attribute_docstrings(cls: type) -> dict[str, str]:
    """Field to the docstring that stands under it."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(found, ast.ClassDef)
    meanings = {}
    for field, under in zip(found.body, found.body[1:], strict=False):
        told = isinstance(under, ast.Expr) and isinstance(under.value, ast.Constant)
        if told and isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            meanings[field.target.id] = " ".join(inspect.cleandoc(str(under.value.value)).split())  # type: ignore[attr-defined]
    return meanings
