"""Purchase models in which what is known of a customer shifts how often they buy and how soon they leave.

A covariate is one number per customer that does not change: whether they came by an advertisement (1 or 0), the value
of their first order. With weights gamma it multiplies the mean purchase rate by exp(gamma' z): alpha becomes
alpha exp(-gamma' z). For drop-out, beta of the Pareto/NBD model becomes beta exp(-gamma' z); of the BG/NBD and MBG/NBD
models, a becomes a exp(gamma' z) and b, with weights of its own, b exp(gamma' z).

Source: Fader and Hardie (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD Models, note 019
at brucehardie.com.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.bg_nbd import BGNBD, BetaGeometricParameters
from setia.predictions.models.covariate_rows import (
    FURTHEST,
    KINDS,
    BadCovariate,
    Covariates,
    ModelName,
    Part,
    Rows,
    Scale,
    Shift,
    as_numbers,
    log_likelihood,
    scales_of,
)
from setia.predictions.models.pareto_nbd import ParetoNBD, ParetoParameters
from setia.predictions.models.purchases import SCALE, FloatArray, Optimum, PurchaseHistory, maximise

EFFECT = (-5.0, 5.0)  # bounds of a coefficient, per standard deviation of its covariate: rates 148 times as high


@dataclass(frozen=True)
class Coefficient:
    """What a covariate does to a parameter, per unit of the covariate.

    Of `alpha`, above 0: the more of it, the more often a customer buys, by the factor exp(value) per unit. Of `beta`
    and `a`, above 0: the sooner they leave; of `b`: the later. `standard_error` is None where the likelihood is too
    flat; `mean` is that of the covariate over the customers of the fit.
    """

    parameter: str
    covariate: str
    value: float
    standard_error: float | None
    mean: float


@dataclass(frozen=True)
class LikelihoodRatio:
    """The test of all coefficients together against the model without covariates; chi-square with these `degrees`."""

    statistic: float
    degrees: int
    p_value: float


class WithCovariates:
    """A purchase model, "bg_nbd", "mbg_nbd" or "pareto_nbd", with covariates of purchases, of drop-out, or of both.

    After `fit`: `params_`, of a customer whose covariates are all at their means; `standard_errors_` (None
    where the likelihood is too flat); `coefficients_`, in the units of the covariates; `log_likelihood_` (sum over
    customers: it moves with the unit of time); `customers_`; `plain_`, the model without covariates fitted to the same
    customers; and `likelihood_ratio_`, the test against it (None without covariates).

    The unit of time is yours; use the same in every call.
    """

    params_: BetaGeometricParameters | ParetoParameters
    standard_errors_: BetaGeometricParameters | ParetoParameters | None
    coefficients_: tuple[Coefficient, ...]
    log_likelihood_: float
    customers_: int
    plain_: BGNBD | ParetoNBD | None
    likelihood_ratio_: LikelihoodRatio | None

    def __init__(self, model: ModelName = "mbg_nbd") -> None:
        self.model: ModelName = model
        self._kind = KINDS[model]

    @classmethod
    def from_params(cls, model: ModelName, params: Mapping[str, float], coefficients: Iterable[Coefficient]) -> Self:
        """A model with known parameters, at the means of the covariates, and coefficients, fitted to nobody."""
        made = cls(model)
        made.params_ = made._kind.model.from_params(**params).params_
        made.standard_errors_ = None
        made.coefficients_ = tuple(coefficients)
        made.log_likelihood_ = float("nan")
        made.customers_ = 0
        made.plain_ = None
        made.likelihood_ratio_ = None
        return made

    def get_params(self) -> dict[str, float]:
        """The fitted parameters by name, at the means of the covariates."""
        return asdict(self.params_)

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        purchase_covariates: Covariates | None = None,
        dropout_covariates: Covariates | None = None,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Find the parameters and coefficients of highest likelihood; one element per customer, or per `weights` ones.

        Raises `TooFewCustomers`, `BadHistory`, `BadCovariate` and `NoConvergence`.
        """
        history = PurchaseHistory.from_customers(frequency, recency, T, weights)
        history.require_enough()
        told = as_numbers(purchase_covariates, dropout_covariates)
        rows = Rows.from_customers(frequency, recency, T, told, weights)
        scales = {part: scales_of(part, list(told[part]), z, rows.weights) for part, z in rows.covariates.items()}
        plain = self._kind.model().fit_history(history)
        unit, customers = history.mean_age, history.customers
        standard = rows.standardised(unit, scales)
        in_your_unit = np.where([edge == SCALE for edge in self._kind.edges], unit, 1.0)

        def objective(exponentials: FloatArray) -> tuple[float, FloatArray]:
            value, slopes = log_likelihood(standard, self._kind, np.log(exponentials))
            return value / customers, slopes / exponentials / customers

        # `maximise` climbs over logarithms: a coefficient, which may be below 0, is the logarithm of its exponential.
        effects = [(shift.parameter, scale) for shift in self._kind.shifts for scale in scales[shift.part]]
        start = np.array([*asdict(plain.params_).values()]) / in_your_unit
        edges = [*self._kind.edges, *[EFFECT] * len(effects)]
        best = maximise(objective, np.concatenate((start, np.ones(len(effects)))), edges, customers)
        self._take(best, in_your_unit, effects)
        self.log_likelihood_ = float(best.mean_log_likelihood * customers - history.purchases * np.log(unit))
        self.customers_ = round(customers)
        self.plain_ = plain
        self.likelihood_ratio_ = _likelihood_ratio(self.log_likelihood_ - plain.log_likelihood_, len(effects))
        return self

    def _take(self, best: Optimum, in_your_unit: FloatArray, effects: list[tuple[str, Scale]]) -> None:
        """Keep the parameters and, in the units of the covariates, the coefficients."""
        made = self._kind.model.from_params(*(best.parameters[:4] * in_your_unit).tolist())
        self.params_, self.standard_errors_ = made.params_, None
        errors: list[float | None] = [None] * len(effects)
        if best.standard_errors is not None and best.covariance is not None:
            spread = (best.standard_errors[:4] * in_your_unit).tolist()
            self.standard_errors_ = type(made.params_)(*spread)
            errors = np.sqrt(np.diag(best.covariance))[4:].tolist()
        self.coefficients_ = tuple(
            Coefficient(parameter, scale.name, value / scale.deviation, error and error / scale.deviation, scale.mean)
            for (parameter, scale), value, error in zip(
                effects, np.log(best.parameters[4:]).tolist(), errors, strict=True
            )
        )

    def given(
        self, purchase_covariates: Covariates | None = None, dropout_covariates: Covariates | None = None
    ) -> BGNBD | ParetoNBD:
        """The model without covariates for each of these customers: its parameters are arrays, one element each.

        Covariates that are all 0 give the paper's alpha, beta, a and b. Raises `BadCovariate`.
        """
        told = self._ordered(purchase_covariates, dropout_covariates)
        params: dict[str, Any] = self.get_params()
        for shift in self._kind.shifts:
            logs: Any = 0.0
            for effect in self._effects(shift):
                logs = logs + effect.value * (told[shift.part][effect.covariate] - effect.mean)
            params[shift.parameter] *= np.exp(np.clip(shift.sign * logs, -FURTHEST, FURTHEST))
        model = self._kind.model.from_params(*self.get_params().values())
        model.params_ = type(self.params_)(**params)
        return model

    def log_likelihood(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        purchase_covariates: Covariates | None = None,
        dropout_covariates: Covariates | None = None,
        weights: ArrayLike | None = None,
    ) -> float:
        """The log-likelihood of these customers under the model's parameters and coefficients, summed."""
        PurchaseHistory.from_customers(frequency, recency, T, weights)
        told = self._ordered(purchase_covariates, dropout_covariates)
        rows = Rows.from_customers(frequency, recency, T, told, weights)
        by_part = {shift.part: self._effects(shift) for shift in self._kind.shifts}
        scales = {part: [Scale(each.covariate, each.mean, 1.0) for each in by_part[part]] for part in by_part}
        logs = [*np.log([*self.get_params().values()]), *(effect.value for effect in self.coefficients_)]
        return log_likelihood(rows.standardised(1.0, scales), self._kind, np.array(logs))[0]

    def probability_alive(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        purchase_covariates: Covariates | None = None,
        dropout_covariates: Covariates | None = None,
    ) -> FloatArray:
        """The probability, 0 to 1, that the customer is still active at T."""
        return self.given(purchase_covariates, dropout_covariates).probability_alive(frequency, recency, T)

    def expected_purchases(
        self,
        t: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        purchase_covariates: Covariates | None = None,
        dropout_covariates: Covariates | None = None,
    ) -> FloatArray:
        """How many purchases to expect within the next `t` units of time, given history and covariates."""
        return self.given(purchase_covariates, dropout_covariates).expected_purchases(t, frequency, recency, T)

    def _effects(self, shift: Shift) -> list[Coefficient]:
        return [effect for effect in self.coefficients_ if effect.parameter == shift.parameter]

    def _ordered(self, purchases: Covariates | None, dropout: Covariates | None) -> dict[Part, dict[str, FloatArray]]:
        """The covariates of the fit, in its order. Raises `BadCovariate` for one too few or too many."""
        told = as_numbers(purchases, dropout)
        ordered: dict[Part, dict[str, FloatArray]] = {"purchases": {}, "drop-out": {}}
        for shift in self._kind.shifts:
            names = [effect.covariate for effect in self._effects(shift)]
            for name in names:
                if name not in told[shift.part]:
                    raise BadCovariate(name=name, part=shift.part, reason="the model was fitted with it; give it, too")
            for name in told[shift.part]:
                if name not in names:
                    raise BadCovariate(
                        name=name, part=shift.part, reason="the model was fitted without it; leave it out"
                    )
            ordered[shift.part] = {name: told[shift.part][name] for name in names}
        return ordered


def _likelihood_ratio(gain: float, degrees: int) -> LikelihoodRatio | None:
    from scipy.special import chdtrc

    statistic = max(2 * gain, 0.0)
    return LikelihoodRatio(statistic, degrees, float(chdtrc(degrees, statistic))) if degrees else None
