"""Messages on their way: the gate before each send, the text, the ledger that never repeats one, the codes.

`gate` decides (pure), `render` writes, `ledger` records each send and hands it to a channel, `codes` keeps the
single-use vouchers. Knows no programme: a programme plans sends, this room sends them.
"""

from __future__ import annotations
