"""Kaplan-Meier on counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """The product-limit estimate (Kaplan & Meier 1958) over distinct lengths of time, in whole days.

    A length that both ends and breaks off counts the ends first, as is usual.
    """

    days: tuple[int, ...]
    at_risk: tuple[int, ...]
    ended: tuple[int, ...]
    open: tuple[int, ...]
    survival: tuple[float, ...]

    @classmethod
    def from_counts(cls, counts: Iterable[tuple[int, int, int]]) -> SurvivalCurve:
        """From (days, how many ended then, how many broke off then), in any order; equal days are added up."""
        by_day: dict[int, list[int]] = {}
        for day, ended, broke_off in counts:
            cell = by_day.setdefault(day, [0, 0])
            cell[0] += ended
            cell[1] += broke_off
        at_risk = sum(ended + broke_off for ended, broke_off in by_day.values())
        days = sorted(by_day)
        risks, survivals, share = [], [], 1.0
        for day in days:
            ended, broke_off = by_day[day]
            risks.append(at_risk)
            share *= 1 - ended / at_risk
            survivals.append(share)
            at_risk -= ended + broke_off
        return cls(
            tuple(days),
            tuple(risks),
            tuple(by_day[day][0] for day in days),
            tuple(by_day[day][1] for day in days),
            tuple(survivals),
        )

    def reached(self, day: int) -> float | None:
        """Share that has ended by a day; None where the curve does not reach that far and some had not ended."""
        if not self.days or (day > self.days[-1] and self.survival[-1] > 0):
            return None
        return 1 - min((s for d, s in zip(self.days, self.survival, strict=True) if d <= day), default=1.0)

    def quantile(self, share: float) -> int | None:
        """The first day by which at least this share has ended; None where the curve never gets there."""
        return next((d for d, s in zip(self.days, self.survival, strict=True) if 1 - s >= share - 1e-12), None)

    def rows(self) -> list[dict[str, Any]]:
        """One row per distinct length."""
        return [
            {"days": d, "at_risk": n, "ended": e, "open": o, "survival": s}
            for d, n, e, o, s in zip(self.days, self.at_risk, self.ended, self.open, self.survival, strict=True)
        ]
