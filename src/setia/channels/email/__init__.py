"""E-mail over SMTP."""

from __future__ import annotations

from setia.channels.email.smtp import EmailChannel

__all__ = ["EmailChannel"]
