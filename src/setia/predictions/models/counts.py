"""How many purchases lie ahead of customers who are active now.

A customer takes steps at random at their own rate, Gamma(shape, rate) distributed, k of them from one purchase to the
next; after each purchase they stay with a probability of their own, Beta(stays, a) distributed. Steps within a time are
negative binomial, so all of this is exact; no approximation enters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from setia.predictions.models.purchases import FloatArray

NEGLIGIBLE = 1e-11
"""Purchases this unlikely are no longer counted."""
BLOCK = 16_384
LEAST = -600.0
"""Logarithms of probabilities below this do not survive the running product; the incomplete beta is asked instead."""


@dataclass(frozen=True, eq=False)
class Steps:
    """One element per customer in each array; `weights` has one row for each number of steps since the last purchase.

    `shape`: of the rate, with no step since the last purchase; `z`: time ahead ÷ (rate parameter + time ahead).
    """

    weights: FloatArray
    shape: FloatArray
    z: FloatArray
    a: float
    stays: FloatArray

    @property
    def k(self) -> int:
        """Steps from one purchase to the next."""
        return len(self.weights)

    def expected(self) -> FloatArray:
        """Expected purchases."""
        weights, (shape, z, stays) = self._flat()
        found = np.zeros(len(shape))
        order = np.argsort(shape * z / np.maximum(1 - z, 1e-300), kind="stable")  # alike ones end together
        for start in range(0, len(order), BLOCK):
            rows = order[start : start + BLOCK]
            for at_least in _tails(weights[:, rows], shape[rows], z[rows], self.a, stays[rows]):
                found[rows] += at_least
        return found.reshape(self.shape.shape)

    def at_least(self, most: int) -> FloatArray:
        """The probabilities of at least 1, 2 ... `most` purchases, along a last axis of their own."""
        weights, (shape, z, stays) = self._flat()
        found = np.zeros((len(shape), most))
        for n, at_least in zip(range(most), _tails(weights, shape, z, self.a, stays), strict=False):
            found[:, n] = at_least
        return found.reshape((*self.shape.shape, most))

    def _flat(self) -> tuple[FloatArray, list[FloatArray]]:
        parts = np.broadcast_arrays(self.shape, self.z, self.stays)
        return self.weights.reshape(self.k, -1), [np.ravel(part) for part in parts]


def _tails(weights: FloatArray, shape: FloatArray, z: FloatArray, a: float, stays: FloatArray) -> Iterator[FloatArray]:
    """The probability of at least 1, 2, 3 ... purchases of each customer, until all are negligible."""
    k = len(weights)
    counters = [_AtLeast(shape + j, z) for j in range(k)]
    stayed = np.ones_like(z)
    purchases = 0
    while True:
        purchases += 1
        reached = sum(
            weight * counter.of(purchases * k - j)
            for j, (weight, counter) in enumerate(zip(weights, counters, strict=True))
        )
        at_least = stayed * reached
        yield at_least
        if float(at_least.max(initial=0.0)) < NEGLIGIBLE:
            return
        stayed = stayed * (stays + purchases - 1) / (a + stays + purchases - 1)


class _AtLeast:
    """The probability of at least n steps, n rising from call to call: negative binomial with this shape and z."""

    def __init__(self, shape: FloatArray, z: FloatArray) -> None:
        self.shape, self.z = shape, z
        log_none = shape * np.log1p(-z)
        self.outside = np.flatnonzero(log_none < LEAST)
        self.mass = np.where(log_none < LEAST, 0.0, np.exp(np.maximum(log_none, LEAST)))
        self.below = np.zeros_like(self.mass)
        self.steps = 0

    def of(self, n: int) -> FloatArray:
        while self.steps < n:
            self.below = self.below + self.mass
            self.mass = self.mass * self.z * (self.shape + self.steps) / (self.steps + 1)
            self.steps += 1
        found = np.maximum(1 - self.below, 0.0)
        if len(self.outside):
            from scipy.special import betainc

            found[self.outside] = betainc(n, self.shape[self.outside], self.z[self.outside])
        return np.asarray(found)
