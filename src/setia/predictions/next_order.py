"""When each customer buys next, should they buy again: from their own rhythm, drawn towards the shop's.

The logarithms of a customer's days between purchases vary around a mean of their own (standard deviation `within`);
the means vary between customers (`between`) around the shop's. A short history is drawn towards the shop's mean by the
usual one-way random-effects weights (Searle, Casella and McCulloch 1992, Variance Components). What is still to come
is conditional on the silence so far. Only completed gaps are known, so slow buyers are under-represented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from setia.predictions.models.purchases import FloatArray, require_enough
from setia.predictions.past import Past

LONGEST = 730.0
"""Days ahead beyond which no day is named."""
EARLY, LATE = 0.1, 0.9


@dataclass(frozen=True)
class Rhythm:
    """The shop's rhythm, in natural logarithms of days."""

    mean: float
    within: float
    between: float

    @classmethod
    def of(cls, frequency: FloatArray, log_gaps: FloatArray, squared_log_gaps: FloatArray) -> Self:
        """Learn from each customer's number of gaps, sum of their logarithms and of the squares of these.

        Raises TooFewCustomers.
        """
        bought_again = frequency > 0
        n, s, squares = (column[bought_again] for column in (frequency, log_gaps, squared_log_gaps))
        require_enough(len(frequency), len(n))
        total, own = float(n.sum()), s / n
        free = total - len(n)
        within = float((squares - s * own).sum()) / free if free > 0 else float(np.var(own))
        within = max(within, 1e-4)
        pooled = float(s.sum()) / total
        shared = total - float((n * n).sum()) / total
        spread = float((n * (own - pooled) ** 2).sum())
        between = max((spread - within * (len(n) - 1)) / shared, 1e-4) if shared > 0 else 1e-4
        weights = 1 / (between + within / n)
        return cls(float((weights @ own) / weights.sum()), within**0.5, between**0.5)

    def days(self, share: float, frequency: FloatArray, log_gaps: FloatArray, silence: FloatArray) -> FloatArray:
        """Days from the latest purchase by which a share of customers like each will have bought again, of those who
        have been silent for so long and will."""
        from scipy.special import log_ndtr, ndtri_exp

        centre, spread = self._of_each(frequency, log_gaps)
        waited = (np.log(np.maximum(silence, 0.5)) - centre) / spread
        later = np.where(silence >= 1, log_ndtr(-waited), 0.0) + np.log1p(-share)
        return np.asarray(np.exp(np.minimum(centre - spread * ndtri_exp(later), 50.0)))

    def share_by(
        self, days: FloatArray, frequency: FloatArray, log_gaps: FloatArray, silence: FloatArray
    ) -> FloatArray:
        """The share of customers like each who buy again at most so many days after their latest purchase, of those who
        have been silent for so long and will."""
        from scipy.special import log_ndtr

        centre, spread = self._of_each(frequency, log_gaps)
        waited = np.where(silence >= 1, log_ndtr(-(np.log(np.maximum(silence, 0.5)) - centre) / spread), 0.0)
        later = log_ndtr(-(np.log(np.maximum(days, 0.5)) - centre) / spread)
        return np.asarray(-np.expm1(np.minimum(later - waited, 0.0)))

    def _of_each(self, frequency: FloatArray, log_gaps: FloatArray) -> tuple[FloatArray, FloatArray]:
        within, between = self.within**2, self.between**2
        precision = frequency / within + 1 / between
        return (log_gaps / within + self.mean / between) / precision, np.sqrt(within + 1 / precision)


def next_orders(past: Past) -> dict[str, FloatArray]:
    """Columns of days (datetime64[D], NaT where more than two years off), by the names of their traits.

    `next_order_day`, with `next_order_from` and `next_order_until` around four in five; `win_back_day`, from which on a
    customer is later than nine in ten of their own gaps would have it, whatever the silence. Raises TooFewCustomers.
    """
    rhythm = Rhythm.of(past.frequency, past.log_gaps, past.squared_log_gaps)
    known, silence = (past.frequency, past.log_gaps), past.age - past.recency
    ahead = {
        "next_order_day": rhythm.days(0.5, *known, silence),
        "next_order_from": rhythm.days(EARLY, *known, silence),
        "next_order_until": rhythm.days(LATE, *known, silence),
        "win_back_day": rhythm.days(LATE, *known, np.zeros_like(silence)),
    }
    latest = np.datetime64(past.day) - 1 - silence.astype("timedelta64[D]")
    today = np.datetime64(past.day)
    found = {}
    for name, days in ahead.items():
        near = days <= silence + LONGEST
        day = latest + np.where(near, np.rint(days), 0).astype("timedelta64[D]")
        day = day if name == "win_back_day" else np.maximum(day, today)
        found[name] = np.where(near, day, np.datetime64("NaT"))
    return found


def coverage(past: Past) -> float | None:
    """Of the customers who bought within the horizon of a complete window, the share whose day lay in the middle four
    fifths of what was expected of them within it; None where nobody did or nothing can be learned."""
    rhythm = Rhythm.of(past.frequency, past.log_gaps, past.squared_log_gaps)
    bought = np.isfinite(past.next_gap)
    if not bought.any():
        return None
    silence = (past.age - past.recency)[bought]
    known = past.frequency[bought], past.log_gaps[bought]
    whole = rhythm.share_by(silence + past.horizon, *known, silence)
    # A day is a cell: what came by its end less half of what came on it.
    by, before = (rhythm.share_by(past.next_gap[bought] - off, *known, silence) for off in (0.0, 1.0))
    place = (by + before) / 2 / np.maximum(whole, 1e-12)
    return float(((place >= EARLY) & (place <= LATE)).mean())
