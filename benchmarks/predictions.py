"""How well predictions come true: what the back-test chooses, against every candidate, on days it has not seen.

    python benchmarks/predictions.py --data ../shared/data

On each data set and day the back-test looks at what was before it and chooses; then every candidate, and the choice with its
correction, predicts the next 91 days and is held against them. Data: CDNOW (two days), UCI Online Retail without
cancellations, and three simulated shops of 20,000 customers: one that is what BG/NBD believes, one whose customers buy
regularly, one that doubles in each last quarter. Columns: bias of purchase days and of revenue, mean absolute error of
revenue, Gini and share of the top tenth, deviance explained, AUC. Last comes the mean over all sets of what the choice
explains, against the best single candidate, with the interval of nine in ten bootstraps over customers. The figures of
others for the same windows stand in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import duckdb
import numpy as np
import pyarrow as pa

from metrics import reader, written
from setia.customers.traits import observed
from setia.history.scope import Scope
from setia.predictions.backtest import FAILURES, backtest
from setia.predictions.candidates import CANDIDATES
from setia.predictions.expecting import expect
from setia.predictions.past import Windows
from setia.predictions.scoring import deviances, in_blocks, score

HORIZON = 91
DAYS = 730
DRAWS = 1000


def simulated(kind: str, customers: int, seed: int) -> pa.Table:
    """Purchases of customers who join evenly in two years."""
    rng = np.random.default_rng(seed)
    k = 3 if kind == "regular" else 1
    joined = rng.integers(0, DAYS, customers).astype(float)
    rate, leaves = rng.gamma(0.6, k / 18, customers), rng.beta(0.7, 6, customers)
    usual = rng.gamma(6, 1 / rng.gamma(4, 1 / 15, customers))
    who, day, now = [], [], joined.copy()
    active = np.arange(customers)
    while len(active):
        who.append(active)
        day.append(now[active])
        active = active[rng.random(len(active)) > leaves[active]]
        pace = 1 + (kind == "season") * (now[active] % 365 > 274)
        now[active] += np.ceil(rng.gamma(k, 1 / np.maximum(pace * rate[active], 1e-9)))
        active = active[now[active] < DAYS]
    people, days = np.concatenate(who), np.concatenate(day).astype(int)
    spent = np.round(usual[people] * rng.gamma(6, 1 / 6, len(people)), 2)
    dates = np.datetime64("2023-01-01") + days.astype("timedelta64[D]")
    return pa.table({"who": people, "day": dates, "spent": spent})


def sets(data: Path) -> dict[str, tuple[str, list[str], str]]:
    """By name: purchases (who, day, spent) as SQL, the days to predict from, the currency."""
    cdnow = f"select customer_id as who, date::date as day, spend as spent from '{data / 'cdnow_master.parquet'}'"
    uci = (
        "select CustomerID as who, min(InvoiceDate)::date as day, sum(Quantity * UnitPrice) as spent "
        f"from '{data / 'online_retail.parquet'}' where not starts_with(InvoiceNo, 'C') and CustomerID is not null "
        "and InvoiceDate < '2011-12-09' group by CustomerID, InvoiceNo"
    )
    found = {
        "CDNOW": (cdnow, ["1997-10-01", "1998-04-01"], "USD"),
        "Online Retail": (uci, ["2011-09-09"], "GBP"),
    }
    for kind in ("plain", "regular", "season"):
        found[f"simulated, {kind}"] = (kind, [str(dt.date(2023, 1, 1) + dt.timedelta(days=DAYS - HORIZON))], "USD")
    return found


def facts(source: str, folder: Path, currency: str, customers: int) -> Any:
    """The orders as a snapshot."""
    connection = duckdb.connect()
    connection.execute("load icu; set timezone = 'UTC'")
    if source in ("plain", "regular", "season"):
        connection.register("bought", simulated(source, customers, 7))
        source = "select * from bought"
    numbered = f"select row_number() over () as n, * from ({source})"
    written(
        connection,
        folder,
        "orders",
        "select n::varchar as order_id, n::varchar as document_id, who::varchar as customer_id, day, spent as total, "
        f"'{currency}' as currency, timezone('UTC', day + interval 12 hours) as placed_at from ({numbered})",
    )
    return reader(folder)


def tried(snapshot: Any, scope: Scope) -> tuple[str, str, dict[str, tuple[Any, Any]]]:
    """What the back-test chooses on a day, and the score and deviances of every candidate and of the choice after it."""

    def traits(then: Scope) -> Any:
        return observed(snapshot, then, 60.0)

    chosen = backtest(snapshot, scope, HORIZON, traits=traits)
    windows = Windows(snapshot, scope, HORIZON, traits)
    past, found = windows.past(0), {}
    forecasts = {}
    for name, (_title, fit) in CANDIDATES.items():
        try:
            forecasts[name] = fit(past).ahead(HORIZON)
        except FAILURES as problem:
            print(f"  {name}: {problem}")
    forecasts["chosen"] = expect(windows, chosen.ranking, chosen.correction, [float(HORIZON)]).ahead[float(HORIZON)]
    for name, forecast in forecasts.items():
        parts = deviances(forecast.revenue, np.maximum(past.next_revenue, 0))
        assert parts is not None
        found[name] = score(name, past, forecast), (in_blocks(parts[0]), in_blocks(parts[1]))
    return chosen.chosen, chosen.correction, found


def tell(found: dict[str, tuple[Any, Any]]) -> None:
    """Print one day's table."""
    print(
        f"  {'candidate':<14}{'days':>8}{'revenue':>9}{'error':>10}{'Gini':>7}{'top 10%':>9}{'explained':>11}{'AUC':>7}"
    )
    for name, (one, _) in found.items():
        print(
            f"  {name:<14}{one.days_bias:>+8.2f}{one.revenue_bias:>+9.2f}{one.revenue_error:>10.1f}{one.gini:>7.3f}"
            f"{one.top_tenth:>9.3f}{one.explained:>11.3f}{one.auc:>7.3f}"
        )


def main() -> None:
    """Every set, then the mean over all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--customers", type=int, default=20_000)
    options = parser.parse_args()
    every: list[dict[str, tuple[Any, Any]]] = []
    for name, (source, days, currency) in sets(options.data).items():
        with tempfile.TemporaryDirectory() as folder:
            snapshot = facts(source, Path(folder), currency, options.customers)
            for day in days:
                start = time.perf_counter()
                chosen, correction, found = tried(snapshot, Scope(dt.date.fromisoformat(day), currency, "UTC"))
                seconds = time.perf_counter() - start
                print(f"\n{name}, from {day}: chosen {chosen}, correction {correction} ({seconds:.0f} s)", flush=True)
                tell(found)
                every.append(found)
    rng = np.random.default_rng(1)
    names = [name for name in every[0] if all(name in found for found in every)]
    explained: dict[str, np.ndarray] = {name: np.zeros(DRAWS + 1) for name in names}
    for found in every:
        blocks = len(found["chosen"][1][0])
        draws = np.vstack([np.ones(blocks), rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)])
        for name in names:
            own, whole = found[name][1]
            explained[name] += (1 - (draws @ own) / (draws @ whole)) / len(every)
    print("\nMean deviance explained over all days:")
    for name in sorted(names, key=lambda name: -explained[name][0]):
        difference = explained["chosen"] - explained[name]
        low, high = np.quantile(difference[1:], [0.05, 0.95])
        print(
            f"  {name:<14}{explained[name][0]:>8.3f}   chosen less this: {difference[0]:+.3f} ({low:+.3f} to {high:+.3f})"
        )


if __name__ == "__main__":
    main()
