"""How long work reports where it stands, without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Stage(Protocol):
    """One stretch of work under way."""

    def advance(self, done: float) -> None:
        """Say how much is done so far, in the unit of the stage's total."""


class Progress(Protocol):
    """Someone who wants to see long work move: a progress bar, a log, nobody."""

    @contextmanager
    def stage(self, title: str, total: float, unit: str = "") -> Iterator[Stage]:
        """Announce a stretch of work; `total` in `unit` is known beforehand."""
        raise NotImplementedError

    def say(self, sentence: str) -> None:
        """Say one sentence that stays."""


class Silent:
    """Nobody watches."""

    @contextmanager
    def stage(self, title: str, total: float, unit: str = "") -> Iterator[Stage]:  # noqa: ARG002
        """Do the work without a word."""
        yield self

    def advance(self, done: float) -> None:
        """Nothing to show."""

    def say(self, sentence: str) -> None:
        """Nobody to tell."""
