"""The check queries that stand beside the metrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from setia.history.scope import Scope
from setia.metrics.metric import Metric
from setia.warehouse.reader import Reader

Check = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def check() -> Check:
    """Runs a metric's check query: `check(reader, metric, scope, since=…, until=…)` returns its rows."""

    def run(reader: Reader, metric: Metric, scope: Scope, **more: Any) -> list[dict[str, Any]]:
        sql = metric.check_query()
        given = {"as_of": scope.as_of, "moment": scope.until, "currency": scope.currency, **more}
        wanted = {name: given[name] for name in re.findall(r"\$(\w+)", sql)}
        return list(reader.duck.sql(sql, params=wanted).to_arrow_table().to_pylist())

    return run
