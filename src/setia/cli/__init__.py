"""The terminal's door: one file per room, thin; it translates errors into one sentence and an exit code."""

from __future__ import annotations

from setia.cli.main import main

__all__ = ["main"]
