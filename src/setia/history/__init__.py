"""What the facts say as of a day: which orders count, in whose currency, who may be written to, who visited.

Every room above reads the facts through these expressions, so that an order counts everywhere or nowhere. Each gives
rows, never figures, and is the same on every engine. `scope` says what everything holds for.
"""

from __future__ import annotations
