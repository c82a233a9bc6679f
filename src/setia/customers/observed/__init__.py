"""What the facts say of each customer: families of traits, one module for each kind of happening.

A family is rows and the traits that are aggregates of them. `derived` has those that follow from other traits.
"""

from __future__ import annotations
