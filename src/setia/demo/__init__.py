"""The demonstration: a simulated shop, or a file of the user's own, taken through the whole loop.

`mailbox` is a real SMTP server on loopback that keeps what arrives, `loop` joins a simulated shop with a real one,
`__main__` is what `make demo` runs.
"""

from __future__ import annotations
