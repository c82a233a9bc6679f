"""A mail server on loopback that keeps what arrives."""

from __future__ import annotations

import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


def _free_port() -> int:
    """A port nobody listens on; the server cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """Listens on 127.0.0.1 at a free port. `arrived` holds every mail since it was last emptied by `collect`."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []
        self.port = _free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002
        """Keep one mail; called by the server."""
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.arrived.append(mail)
        return "250 kept"

    def __enter__(self) -> Mailbox:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def collect(self) -> list[EmailMessage]:
        """All mails since the last call."""
        mails, self.arrived = self.arrived, []
        return mails
