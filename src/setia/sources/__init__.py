"""Where facts come from: one folder per kind of source. Each reads the outside and emits facts, nothing else."""

from __future__ import annotations
