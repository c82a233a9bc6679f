"""The person: one row of traits per customer, the stage of the life cycle, how to write to somebody.

Reads facts and metrics; writes the derived table `traits` and the store's `contacts`. `traits` declares and computes
them, `stages` and `scores` are the rules over them, `rhythm` is the shop's usual gap, `contacts` is what the store
needs to write to somebody. A person is removed by `setia.erasure`, which knows every room that holds one.
"""

from __future__ import annotations
