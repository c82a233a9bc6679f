"""Weights of the health score learned from who has left before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.health import PARTS
from setia.customers.rhythm import shop_gap_days
from setia.customers.traits import observed
from setia.history.running import paid_rows
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from setia.warehouse.snapshot import Snapshot

HORIZON_DAYS = 90
DATES = 4
"""Past days on which subscribers are looked at, a horizon apart, so that nobody's leaving is counted twice."""
LEAST_ENDED, LEAST_KEPT = 30, 30
RIDGE = 1.0
"""Strength of the pull of coefficients towards nought, in subscribers."""


class TooFewEndings(SetiaError):
    """{ended} subscriptions ended and {kept} went on within 90 days of the days looked at; weights are learned from
    {least} of each on. Set them by hand in setia.toml until then."""

    code = "customers.too_few_endings"


@dataclass(frozen=True, slots=True)
class LearnedWeights:
    """What past endings say of the parts of the health score."""

    weights: dict[str, float]
    """For `[customers.health]` in setia.toml; they add up to 1. A part that did not go with leaving has none."""
    subscribers: int
    """Subscribers looked at, each on each of the days."""
    ended: int
    days: tuple[dt.date, ...]
    auc: float | None
    """How well they rank those of the newest day, learned on the older ones alone; 0.5 is chance. None: too few."""
    auc_as_set: float | None
    """The same for the weights as they are set now."""


def learn(facts: Snapshot, scope: Scope) -> LearnedWeights:
    """A logistic regression of ending within `HORIZON_DAYS` on what each part lacks, as things stood on past days.

    What is not known of a subscriber counts as the mean of the others. Raises TooFewEndings.
    """
    import numpy as np

    days = tuple(scope.as_of - dt.timedelta(days=HORIZON_DAYS * k) for k in range(DATES, 0, -1))
    looked = [_looked_at(facts, scope, day) for day in days]
    lacks, ended = (np.concatenate([one[place] for one in looked]) for place in (0, 1))
    if ended.sum() < LEAST_ENDED or (~ended).sum() < LEAST_KEPT:
        raise TooFewEndings(ended=int(ended.sum()), kept=int((~ended).sum()), least=LEAST_ENDED)
    older = tuple(np.concatenate([one[place] for one in looked[:-1]]) for place in (0, 1))
    newest = looked[-1]
    as_set = np.array([float(getattr(scope.rules.health, name)) for name in PARTS])
    judged = newest[1].any() and not newest[1].all() and older[1].any() and not older[1].all()
    weights = _fitted(lacks, ended)
    return LearnedWeights(
        dict(zip(PARTS, (round(float(each), 3) for each in weights), strict=True)),
        len(ended),
        int(ended.sum()),
        days,
        _auc(_filled(newest[0]) @ _fitted(*older), newest[1]) if judged else None,
        _auc(_filled(newest[0]) @ as_set, newest[1]) if judged else None,
    )


def _looked_at(facts: Snapshot, scope: Scope, day: dt.date) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What each part lacked of those whose subscription ran then (not known: nan), and who ended it soon after."""
    import numpy as np

    then = scope.at(day)
    names = [f"health_{name}" for name in PARTS]
    parts: Any = observed(facts, then, shop_gap_days(facts, then), ("subscription", *names))
    later = scope.at(day + dt.timedelta(days=HORIZON_DAYS))
    paid: Any = paid_rows(facts, later)
    goes_on = paid.ended_at.isnull() | (paid.ended_at >= later.until)
    on = paid.filter(goes_on).select(on_id="customer_id").distinct()
    running = parts.filter(parts.subscription == "running")
    found = facts.arrow(running.left_join(on, running.customer_id == on.on_id).order_by("customer_id"))
    lacks = [1 - found[name].to_numpy(zero_copy_only=False).astype(float) for name in names]
    ended = np.array([each is None for each in found["on_id"].to_pylist()], dtype=bool)
    return np.column_stack(lacks).reshape(-1, len(PARTS)), ended


def _filled(lacks: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    known = ~np.isnan(lacks)
    means = np.where(known, lacks, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, lacks, means)


def _fitted(lacks: NDArray[np.float64], ended: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Coefficients of what goes with leaving, none below nought, as shares of their sum."""
    import numpy as np
    from scipy.optimize import minimize

    x, y = _filled(lacks), ended.astype(float)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = parameters[0] + x @ parameters[1:]
        error = 1 / (1 + np.exp(-z)) - y
        value = float(np.logaddexp(0, z).sum() - y @ z + RIDGE / 2 * (parameters[1:] ** 2).sum())
        return value, np.concatenate([[error.sum()], x.T @ error + RIDGE * parameters[1:]])

    bounds = [(None, None), *[(0.0, None)] * x.shape[1]]
    found = minimize(loss, np.zeros(1 + x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x[1:]
    return found / found.sum() if found.sum() > 0 else np.full(len(found), 1 / len(found))


def _auc(scores: NDArray[np.float64], ended: NDArray[np.bool_]) -> float:
    """The chance that one who left is ranked above one who stayed; equal ranks count half (Mann and Whitney)."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    n, m = int(ended.sum()), int((~ended).sum())
    return float((ranks[ended].sum() - n * (n + 1) / 2) / (n * m))
