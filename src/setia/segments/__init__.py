"""Whom we mean: conditions over traits, written once and turned into one Ibis expression.

`condition` parses and checks the language and compiles it; reads the declarations of `customers.traits`.
"""

from __future__ import annotations
