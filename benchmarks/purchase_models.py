"""How fast the purchase models fit, side by side with the library `lifetimes`, and whether they fit as well.

    python benchmarks/purchase_models.py --customers 1000000 --runs 5 --oracle-python other-env/bin/python

Simulates a customer base (BG/NBD with r = 0.6, alpha = 18 days, a = 0.7, b = 6, first purchases spread evenly over
two years) and fits it with both, run by run in turn. `lifetimes` lives in an environment of its own: `--oracle-python`
is that environment's interpreter, with `lifetimes` and `setuptools` installed. Without it only our own times are shown.
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

MODELS = ("BGNBD", "MBGNBD")
ORACLE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter
fitters = {"BGNBD": BetaGeoFitter, "MBGNBD": ModifiedBetaGeoFitter}
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
    """A `lifetimes` process that fits what it is told to, one line of JSON at a time."""

    def __init__(self, python: Path) -> None:
        self.process = subprocess.Popen(
            [str(python), "-c", ORACLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
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


def compare(label: str, columns: dict[str, np.ndarray], runs: int, oracle: Oracle | None, folder: Path) -> None:
    """Print median and range of the seconds each takes on the same arrays."""
    from setia.predictions.models.bg_nbd import BGNBD
    from setia.predictions.models.mbg_nbd import MBGNBD

    path = folder / "histories.npz"
    np.savez(path, **columns)
    x, t_x, T = columns["frequency"], columns["recency"], columns["T"]
    for name, model in zip(MODELS, (BGNBD, MBGNBD), strict=True):
        ours, theirs = [], []
        for _ in range(runs):
            start = time.perf_counter()
            fitted = model().fit(x, t_x, T)
            ours.append(time.perf_counter() - start)
            if oracle:
                answer = oracle.fit(path, name)
                theirs.append(answer["seconds"])
                reached = model.from_params(**answer["params"]).log_likelihood(x, t_x, T)
                short = reached - fitted.log_likelihood_
                assert short <= 1e-6 * abs(reached), f"{name}: our log-likelihood is lower by {short}"
        line = f"{label:>22} {name:>7}  ours {describe(ours)}"
        if theirs:
            line += f"  lifetimes {describe(theirs)}  ratio {median(theirs) / median(ours):.0f}x"
            line += f"  log-likelihood {fitted.log_likelihood_:.1f}, higher by {-short:.6f}"
        print(line, flush=True)


def describe(seconds: list[float]) -> str:
    """Median and range."""
    return f"{median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})"


def main() -> None:
    """Read the options, simulate, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--oracle-python", type=Path, help="an interpreter that has lifetimes")
    options = parser.parse_args()
    rng = np.random.default_rng(20_071)
    oracle = Oracle(options.oracle_python) if options.oracle_python else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare("warm-up, 2,000", simulate(2_000, 273, 84, rng), 1, oracle, folder)
        compare("one quarter, 23,570", simulate(23_570, 273, 84, rng), options.runs, oracle, folder)
        label = f"two years, {options.customers:,}"
        compare(label, simulate(options.customers, 730, 730, rng), options.runs, oracle, folder)
    if oracle:
        oracle.close()


if __name__ == "__main__":
    main()
