"""Mail servers and silent shops for these tests."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _mailing() -> ModuleType:
    name = "setia_tests_mailing"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "messaging" / "mailing.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def mailing() -> ModuleType:
    """The module with mail servers, mails and silent shops."""
    return _mailing()


@pytest.fixture
def mail_server(mailing: ModuleType) -> Iterator[Any]:
    """Makes SMTP servers: `mail_server(answer)`."""
    with mailing.mail_servers() as make:
        yield make
