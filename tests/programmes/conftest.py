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


@pytest.fixture(scope="session")
def original(mailing: ModuleType, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The silent shop that is copied."""
    with mailing.original_shop(server_url, tmp_path_factory.mktemp("original")) as shop:
        yield shop


@pytest.fixture
def silent_shop(mailing: ModuleType, original: Any, tmp_path: Path) -> Iterator[Any]:
    """Makes copies of the silent shop: `silent_shop(extra=…, clock=…)`."""
    with mailing.copies(original, tmp_path) as copy:
        yield copy


@pytest.fixture(scope="session")
def planned_original(mailing: ModuleType, original: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same shop once its journey has begun."""
    with mailing.planned_shop(original, tmp_path_factory.mktemp("planned")) as shop:
        yield shop


@pytest.fixture
def planned_shop(mailing: ModuleType, planned_original: Any, tmp_path: Path) -> Iterator[Any]:
    """Makes copies of the shop whose first sends are planned."""
    with mailing.copies(planned_original, tmp_path) as copy:
        yield copy
