"""Random numbers by name: every draw is a pure function of the seed, a stream and whole-number keys.

No draw depends on which others were made, so that treating one customer changes nobody else's fate
(common random numbers), and a year may be cut into ticks in any way.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


class Draws:
    """All random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = _mix(np.array([seed & _MASK], np.uint64) + np.uint64(_GOLDEN))

    def bits(self, stream: str, *keys: ArrayLike) -> NDArray[np.uint64]:
        """64 random bits for each combination of the keys, which are broadcast; at least one-dimensional."""
        state = _mix(self._seed + np.uint64(zlib.crc32(stream.encode()) * _GOLDEN & _MASK))
        for key in keys:
            number = np.atleast_1d(np.asarray(key)).astype(np.uint64)
            state = _mix(state + (number + np.uint64(1)) * np.uint64(_GOLDEN))
        return state

    def uniform(self, stream: str, *keys: ArrayLike) -> NDArray[np.float64]:
        """Uniform between 0 and 1, both excluded."""
        return ((self.bits(stream, *keys) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52

    def exponential(self, stream: str, *keys: ArrayLike) -> NDArray[np.float64]:
        """Exponential with mean 1."""
        return -np.log(self.uniform(stream, *keys))

    def pick(self, stream: str, weights: Sequence[float], *keys: ArrayLike) -> NDArray[np.int64]:
        """Positions in `weights`, each as likely as its weight."""
        limits = np.cumsum(weights) / np.sum(weights)
        return np.searchsorted(limits[:-1], self.uniform(stream, *keys), side="right").astype(np.int64)
