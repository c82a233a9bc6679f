"""What every channel looks like from inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person."""

    send_id: str
    to: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    `accepted`: handed over. `rejected`: refused for good (`bad_address` where the address itself is the reason).
    `later`: not handed over, may be tried again. `unreachable`: the same, and no other message would fare better now.
    `unknown`: it may or may not have been handed over; never repeat it.
    """

    kind: Literal["accepted", "rejected", "later", "unreachable", "unknown"]
    detail: str = ""
    bad_address: bool = False


class Channel(Protocol):
    """A way to send messages, one at a time."""

    name: str

    def send(self, message: Message) -> Outcome:
        """Hand one message over. Raises nothing: every failure is an outcome."""

    def close(self) -> None:
        """Give back the connection."""
