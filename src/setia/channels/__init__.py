"""Ways out: one folder per channel behind one small port.

A channel takes a finished message and says what became of it. It knows no programme and no database.
"""

from __future__ import annotations
