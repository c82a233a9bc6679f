"""The person: one row of traits per customer, the stage of the life cycle, erasure and takeout.

Reads facts and metrics; writes the derived table `traits` and the store's `contacts`. `traits` declares and computes
them, `stages` and `scores` are the rules over them, `erasure` removes a person, `contacts` is what the store needs
to write to somebody.
"""

from __future__ import annotations
