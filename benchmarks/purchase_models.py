"""How fast the purchase models fit, side by side with the library `lifetimes`, and whether they fit as well.

    python benchmarks/purchase_models.py --customers 1000000 --runs 5 --oracle-python other-env/bin/python

Simulates a customer base (BG/NBD with r = 0.6, alpha = 18 days, a = 0.7, b = 6, first purchases spread evenly over
two years) and fits it with both, run by run in turn. `lifetimes` lives in an environment of its own: `--oracle-python`
is that environment's interpreter, with `lifetimes` and `setuptools` installed. Without it only our own times are shown.
`--pymc-python` is an interpreter that has `pymc-marketing`: its maximum a posteriori fits are shown as well, for the
models that it has. `--scale 100000 1000000 5000000` then fits and scores every model of ours in processes of their own
and tells time and peak memory; scoring is the chance to be active, expected purchases and the chance of none in 90
days for everybody.
Every time is measured inside the process that fits, after one fit to warm up, from plain arrays to parameters, on one
core: the threads of the linear algebra library are switched off for both. Our log-likelihood, theirs too computed with
our formula, must be no lower, or there is nothing to compare and the script stops.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded, and inherited by the oracle

import numpy as np

MODELS = ("BGNBD", "MBGNBD", "ParetoNBD")
MOST_FOR_PARETO = 30_000
"""Customers up to whom `lifetimes` is asked for Pareto/NBD: it takes minutes beyond."""
SCALED = (*MODELS, "MBGCNBD", "GammaGamma")
PYMC = """
import json, sys, time, warnings, logging
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from pymc_marketing import clv
models = {"BGNBD": clv.BetaGeoModel, "MBGNBD": clv.ModifiedBetaGeoModel, "ParetoNBD": clv.ParetoNBDModel}
logging.disable(logging.CRITICAL)
for line in sys.stdin:
    path, name = json.loads(line)
    data = pd.DataFrame(dict(np.load(path)))
    data.insert(0, "customer_id", np.arange(len(data)))
    start = time.perf_counter()
    try:
        model = models[name](data=data)
        model.fit(method="map", progressbar=False)
    except TypeError:
        model = models[name]()
        model.fit(data, method="map", progressbar=False)
    seconds = time.perf_counter() - start
    names = ("r", "alpha", "s", "beta") if name == "ParetoNBD" else ("r", "alpha", "a", "b")
    found = {key: float(model.fit_result.posterior[key].mean()) if hasattr(model.fit_result, "posterior") else float(model.fit_result[key].mean()) for key in names}
    print(json.dumps({"seconds": seconds, "params": found}), flush=True)
"""
ORACLE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
fitters = {"BGNBD": BetaGeoFitter, "MBGNBD": ModifiedBetaGeoFitter, "ParetoNBD": ParetoNBDFitter}
for line in sys.stdin:
    path, name = json.loads(line)
    columns = np.load(path)
    x, t_x, T = (columns[key] for key in ("frequency", "recency", "T"))
    start = time.perf_counter()
    model = fitters[name]().fit(x, t_x, T)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "params": {k: float(v) for k, v in model.params_.items()}}), flush=True)
"""


def simulate(customers: int, days: int, joining: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Whole-day histories of a BG/NBD base whose first purchases fall evenly in the first `joining` days of `days`."""
    T = days - rng.integers(0, joining, customers).astype(float)
    rate, leaving = rng.gamma(0.6, 1 / 18, customers), rng.beta(0.7, 6, customers)
    frequency, recency, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    active = np.arange(customers)
    while len(active):
        clock[active] += np.ceil(rng.exponential(1 / np.maximum(rate[active], 1e-12)))
        active = active[clock[active] <= T[active]]
        frequency[active] += 1
        recency[active] = clock[active]
        active = active[rng.random(len(active)) > leaving[active]]
    return {"frequency": frequency, "recency": recency, "T": T}


class Oracle:
    """A process with another library that fits what it is told to, one line of JSON at a time."""

    def __init__(self, name: str, python: Path, program: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [str(python), "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def fit(self, path: Path, name: str) -> dict[str, Any]:
        """Seconds and parameters of one fit."""
        assert self.process.stdin and self.process.stdout
        print(json.dumps([str(path), name]), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"the oracle stopped with status {self.process.wait()}")
        return dict(json.loads(answer))

    def close(self) -> None:
        """Let the process end."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()


def compare(label: str, columns: dict[str, np.ndarray], runs: int, oracles: list[Oracle], folder: Path) -> None:
    """Print median and range of the seconds each takes on the same arrays."""
    path = folder / "histories.npz"
    np.savez(path, **columns)
    x, t_x, T = columns["frequency"], columns["recency"], columns["T"]
    for name in MODELS:
        model = ours(name)
        seconds: dict[str, list[float]] = {"ours": []}
        behind: dict[str, float] = {}
        asked = [o for o in oracles if name != "ParetoNBD" or len(x) <= MOST_FOR_PARETO]
        for _ in range(runs):
            start = time.perf_counter()
            fitted = model().fit(x, t_x, T)
            seconds["ours"].append(time.perf_counter() - start)
            for oracle in asked:
                answer = oracle.fit(path, name)
                seconds.setdefault(oracle.name, []).append(answer["seconds"])
                behind[oracle.name] = (
                    model.from_params(**answer["params"]).log_likelihood(x, t_x, T) - fitted.log_likelihood_
                )
                assert behind[oracle.name] <= 1e-6 * abs(fitted.log_likelihood_), f"{name}: ours is lower"
        line = f"{label:>22} {name:>9}  ours {describe(seconds['ours'])}"
        for other, short in behind.items():
            times = median(seconds[other]) / median(seconds["ours"])
            line += f"  {other} {describe(seconds[other])}, {times:.0f}x, log-likelihood {short:+.4f}"
        print(line, flush=True)


def ours(name: str) -> Any:
    """One of our models by its name."""
    from importlib import import_module

    rooms = {
        "BGNBD": "bg_nbd",
        "MBGNBD": "mbg_nbd",
        "ParetoNBD": "pareto_nbd",
        "MBGCNBD": "mbg_cnbd",
        "GammaGamma": "gamma_gamma",
    }
    return getattr(import_module(f"setia.predictions.models.{rooms[name]}"), name)


def scaled(name: str, customers: int) -> None:
    """Fit and score one model on so many customers and print seconds and this process's peak memory."""
    import resource

    rng = np.random.default_rng(20_071)
    columns = simulate(customers, 730, 730, rng)
    x, t_x, T = columns["frequency"], columns["recency"], columns["T"]
    made = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    if name == "GammaGamma":
        values = rng.gamma(6, 1 / rng.gamma(4, 1 / 15, customers))
        start = time.perf_counter()
        model = ours(name)().fit(x, values)
        fitted = time.perf_counter()
        model.expected_average_value(x, values)
    else:
        extra = {"log_gaps": x * np.log(np.maximum(t_x, 1) / np.maximum(x, 1))} if name == "MBGCNBD" else {}
        model = ours(name)(2).fit(x, t_x, T, **extra) if name == "MBGCNBD" else ours(name)().fit(x, t_x, T)
        fitted = time.perf_counter()
        model.probability_alive(x, t_x, T)
        model.expected_purchases(90.0, x, t_x, T)
        model.probability_of_no_purchase(90.0, x, t_x, T)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{customers:>10,} {name:>10}  fit {fitted - start:7.2f} s  score {end - fitted:7.2f} s  "
        f"peak {peak / 1024:,.0f} MiB (histories alone {made / 1024:,.0f})",
        flush=True,
    )


def describe(seconds: list[float]) -> str:
    """Median and range."""
    return f"{median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})"


def main() -> None:
    """Read the options, simulate, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--oracle-python", type=Path, help="an interpreter that has lifetimes")
    parser.add_argument("--pymc-python", type=Path, help="an interpreter that has pymc-marketing")
    parser.add_argument("--scale", type=int, nargs="*", default=[], help="customers to fit and score every model on")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        scaled(options.one[0], int(options.one[1]))
        return
    rng = np.random.default_rng(20_071)
    oracles = [Oracle("lifetimes", options.oracle_python, ORACLE)] if options.oracle_python else []
    if options.pymc_python:
        oracles.append(Oracle("pymc-marketing", options.pymc_python, PYMC))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare("warm-up, 2,000", simulate(2_000, 273, 84, rng), 1, oracles, folder)
        compare("one quarter, 23,570", simulate(23_570, 273, 84, rng), options.runs, oracles, folder)
        label = f"two years, {options.customers:,}"
        compare(label, simulate(options.customers, 730, 730, rng), options.runs, oracles, folder)
    for oracle in oracles:
        oracle.close()
    for customers in options.scale:
        for name in SCALED:
            subprocess.run([sys.executable, __file__, "--one", name, str(customers)], check=True)


if __name__ == "__main__":
    main()
