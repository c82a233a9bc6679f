"""What the columns of a file mean. A format is a module with `recognise` and an `Understood` that emits facts.

They are tried in order: the native layout first, since its names are exact.
"""

from __future__ import annotations

from setia.sources.files.formats import native, order_log
from setia.sources.files.formats.understood import Understood

FORMATS = (native, order_log)

__all__ = ["FORMATS", "Understood"]
