"""One chance out of everything that speaks for a product: a logistic model for new ones, one for those bought before.

Its weights start from those below (for new products about what a gift shop's year gave, for the others the rhythm
taken at its word) and move as far as the purchases of the last horizon say: the posterior mode under a normal prior.
What a shop does not have yet, such as visits, keeps its weight from the start.
"""

from __future__ import annotations

import numpy as np

from setia.predictions.models.purchases import FloatArray

NEW = {
    "constant": -1.5, "near": 1.0, "popular": 0.3, "trend": 0.9, "category": 0.3, "seen": 1.7, "active": 0.1,
    "size": 0.2,
}  # fmt: skip
"""`near`: log of how much the history speaks for it; `popular`: log of the share of purchase days it was bought on;
`trend`: log of that lately against longer ago; `category`: log of its share in the history; `seen`: log of interest
shown; `active`: log-odds that the customer buys at all; `size`: log of products on a purchase day."""
OWN = {
    "constant": 0.0, "near": 0.0, "popular": 0.0, "trend": 0.0, "seen": 0.7, "active": 0.0, "again": 1.0, "times": 0.0,
    "since": 0.0,
}  # fmt: skip
"""`again`: log-odds by the product's rhythm; `times`: log of the days on which they bought it; `since`: log of the days
since."""
FIRMNESS = 10.0
"""How firmly a weight stays at its start: the precision of its prior."""
LOOSE = 0.01
LEAST_BOUGHT = 50
"""Products that must have been bought in the last horizon for the weights to move at all."""
STEPS = 50


def start(weights: dict[str, float]) -> FloatArray:
    """The weights before anything is learnt."""
    return np.array(list(weights.values()))


def learnt(prior: FloatArray, features: FloatArray, bought: FloatArray) -> FloatArray:
    """The weights most probable after what was bought (1) and not (0); the first feature is the constant."""
    if bought.sum() < LEAST_BOUGHT:
        return prior
    firm = np.full(len(prior), FIRMNESS)
    firm[0] = LOOSE
    weights = prior
    for _ in range(STEPS):
        chance = probability(features @ weights)
        slope = features.T @ (chance - bought) + firm * (weights - prior)
        curvature = (features * (chance * (1 - chance))[:, None]).T @ features + np.diag(firm)
        step = np.linalg.solve(curvature, slope)
        # Far from the mode a whole step may overshoot.
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return weights


def probability(log_odds: FloatArray) -> FloatArray:
    """The chance with these log-odds."""
    return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)))


def log_odds(chance: FloatArray) -> FloatArray:
    """The log-odds of a chance, within reason."""
    within = np.clip(chance, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(within / (1 - within)))
