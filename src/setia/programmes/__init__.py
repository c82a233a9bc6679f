"""What we do on purpose, each measured against a held-out group. Neighbours here do not import one another."""

from __future__ import annotations
