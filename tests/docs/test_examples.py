"""The examples of the tutorial and the how-to pages run as they stand."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import setia
from setia.demo.mailbox import Mailbox
from setia.store.server import destroy

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial" / "first-shop.md"
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
SETIA = Path(sys.executable).with_name("setia")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The blocks of a page that are run: language and text."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(language, text) for language, text in found if language in ("console", "python")]


class Run:
    """One page's blocks, in order, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {}
        self.commands = 0

    def all_of(self, page: Path) -> None:
        for language, text in blocks(page):
            self.console(text) if language == "console" else self.python(text, page)

    def python(self, text: str, page: Path) -> None:
        with contextlib.chdir(self.folder):
            exec(compile(text, f"{page.name}", "exec"), self.names)

    def console(self, text: str) -> None:
        for line in text.splitlines():
            if line.startswith("$ cd "):
                self.folder = self.folder / line.removeprefix("$ cd ")
            elif line.startswith("$ setia "):
                self.setia(shlex.split(line.removeprefix("$ setia ")))
            else:
                raise AssertionError(f"a console block holds a line that is not run: {line}")

    def setia(self, words: list[str]) -> None:
        done = subprocess.run([SETIA, *words], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"setia {shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        self.commands += 1


@pytest.fixture
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings from the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("SETIA_")]:
        monkeypatch.delenv(name)


@pytest.mark.slow
def test_tutorial(tmp_path: Path, without_settings: None) -> None:
    run = Run(tmp_path)
    try:
        first, *rest = blocks(TUTORIAL)
        run.python(first[1], TUTORIAL)
        for language, text in rest:
            if language == "console":
                run.console(text)
            else:  # Python is written for the folder of the workspace's parent
                run.folder = tmp_path
                run.python(text, TUTORIAL)
                run.folder = tmp_path / "my-shop"
        assert run.commands > 8
        assert (tmp_path / "my-shop" / "reports" / "report-id.html").is_file()
    finally:
        destroy(tmp_path / "my-shop")


@pytest.fixture
def workspace(tmp_path: Path, new_store: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The tutorial's workspace, imported and refreshed, with a mail server that takes everything."""
    for name in [name for name in os.environ if name.startswith("SETIA_")]:
        monkeypatch.delenv(name)
    run = Run(tmp_path)
    run.python(blocks(TUTORIAL)[0][1], TUTORIAL)
    with Mailbox() as mailbox:
        monkeypatch.setenv("SETIA_STORE__URL", new_store())
        monkeypatch.setenv("SETIA_EMAIL__HOST", "127.0.0.1")
        monkeypatch.setenv("SETIA_EMAIL__PORT", str(mailbox.port))
        monkeypatch.setenv("SETIA_EMAIL__SECURITY", "none")
        from setia.settings import ShopSettings

        setia.init(tmp_path / "my-shop", ShopSettings(name="Toko Kopi"))
        run.folder = tmp_path / "my-shop"
        with setia.open(str(run.folder)) as shop:
            shop.import_files([tmp_path / "orders.csv", tmp_path / "customers.csv"])
            shop.refresh()
            run.names["shop"] = shop
            yield run


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_how_to(page: Path, workspace: Run) -> None:
    assert blocks(page), "a page without a single example that runs"
    workspace.all_of(page)
