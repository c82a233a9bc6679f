"""The condition language: what a rule about customers may say, checked and compiled to one expression for every engine.

`condition` reads and checks the text, `behaviour` answers what it asks of events and orders, `properties` what events
carry. Which traits there are it is told by the rooms above.
"""

from __future__ import annotations
