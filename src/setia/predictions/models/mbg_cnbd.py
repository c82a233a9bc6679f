"""The MBG/CNBD-k model: the MBG/NBD model for customers who buy at regular intervals.

From one purchase to the next a customer takes k steps, each at random: gaps are Erlang-k distributed, more regular than
the exponential gaps of MBG/NBD, which is k = 1. A silence says more about a regular buyer than about an irregular one.

Sources: Platzer and Reutterer (2016), Ticking Away the Moments, Marketing Science 35(5), 779-799; Reutterer, Platzer
and Schröder (2021), Leveraging purchase regularity for predicting customer behavior the easy way, International Journal
of Research in Marketing 38(1), 194-215. Expectations are exact here (see `counts`), where the paper approximates.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.bg_nbd import BetaGeometricParameters
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.purchases import BadHistory, NoConvergence, PurchaseHistory

MOST_STEPS = 8


class MBGCNBD(MBGNBD):
    """As `MBGNBD`, with `k` steps between purchases; without `k` the `fit` finds the one of highest likelihood.

    `alpha` is the scale of steps: a customer's purchases come at the rate of their steps ÷ k.
    """

    def __init__(
        self, k: int | None = None, *, prior: BetaGeometricParameters | None = None, prior_spread: float = 0.5
    ) -> None:
        super().__init__(prior=prior, prior_spread=prior_spread)
        self.wanted = k
        self.k = k or 1

    @classmethod
    def from_params(cls, r: float, alpha: float, a: float, b: float, k: int = 1) -> Self:
        """A model with known parameters, fitted to nobody: no standard errors, a log-likelihood of nan."""
        model = super().from_params(r, alpha, a, b)
        model.k = k
        return model

    def get_params(self) -> dict[str, float]:
        """The fitted parameters by name, `k` last."""
        return {**super().get_params(), "k": self.k}

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
        log_gaps: ArrayLike | None = None,
    ) -> Self:
        """Find the parameters of highest likelihood; one element per customer, or per `weights` customers.

        `log_gaps` is each customer's sum of the natural logarithms of the gaps between purchases, in the unit of time
        of the other columns (of an element that stands for several customers: their mean). It is what tells regular
        buyers from others: needed to choose `k`, and part of the log-likelihood. Raises `TooFewCustomers`, `BadHistory`
        and `NoConvergence`.
        """
        if log_gaps is None and self.wanted is None:
            raise BadHistory(
                row=0, reason="without k the sums of log gaps are needed to choose it; give log_gaps, or k"
            )
        history = PurchaseHistory.from_customers(frequency, recency, T, weights)
        gaps = np.zeros(1) if log_gaps is None else np.asarray(log_gaps, dtype=np.float64)
        total = float(gaps.sum() if weights is None else np.sum(gaps * np.asarray(weights)))
        return self.fit_regular(history, total if log_gaps is not None else None)

    def fit_regular(self, history: PurchaseHistory, log_gaps: float | None) -> Self:
        """Like `fit`, for histories that are grouped already, with the sum of the log gaps of everybody."""
        if self.wanted is not None:
            return self._fit_with(history, self.wanted, log_gaps)
        self._fit_with(history, 1, log_gaps)
        for k in range(2, MOST_STEPS + 1):
            more = type(self)(k, prior=self.prior, prior_spread=self.prior_spread)
            try:
                more._fit_with(history, k, log_gaps)
            except NoConvergence:
                break
            if more.log_likelihood_ <= self.log_likelihood_:
                break
            self._become(more)
        return self

    def _fit_with(self, history: PurchaseHistory, k: int, log_gaps: float | None) -> Self:
        from scipy.special import gammaln

        self.k = k
        self.fit_history(history)
        if log_gaps is not None:
            self.log_likelihood_ += (k - 1) * log_gaps - history.purchases * float(gammaln(k))
        return self

    def _become(self, other: Self) -> None:
        self.k = other.k
        for name in ("params_", "standard_errors_", "log_likelihood_", "customers_", "dropout_identified_"):
            setattr(self, name, getattr(other, name))
