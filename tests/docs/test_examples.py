"""The examples of the tutorial and the how-to pages run as they stand, and print what the pages show."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import setia
from setia.demo.mailbox import Mailbox
from setia.settings import ShopSettings
from setia.store.server import destroy

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial" / "first-shop.md"
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
SETIA = Path(sys.executable).with_name("setia")
QUICK = {
    "SETIA_PREDICTIONS__MODEL": "mbg_nbd",
    "SETIA_PREDICTIONS__PRODUCTS": "false",
    "SETIA_PREDICTIONS__REASONS": "false",
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The blocks of a page that are run, and those that show what the command before prints: language and text."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(language, text) for language, text in found if language in ("console", "python", "output")]


class Run:
    """One page's blocks, in order, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {}
        self.commands = 0
        self.printed = ""

    def all_of(self, page: Path) -> None:
        for language, text in blocks(page):
            self.block(language, text, page)

    def block(self, language: str, text: str, page: Path) -> None:
        match language:
            case "console":
                self.console(text)
            case "output":
                self.output(text, page)
            case _:
                self.python(text, page)

    def output(self, text: str, page: Path) -> None:
        """What the page shows was printed, in this order; a page may leave lines out."""
        printed = iter(line.rstrip() for line in self.printed.splitlines())
        missing = [line for line in map(str.rstrip, text.splitlines()) if line and line not in printed]
        assert not missing, f"{page.name} shows what was not printed: {missing[0]!r}\n{self.printed}"

    def python(self, text: str, page: Path) -> None:
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(text, f"{page.name}", "exec"), self.names)
        self.printed = printed.getvalue()

    def console(self, text: str) -> None:
        for line in text.splitlines():
            if line.startswith("$ cd "):
                self.folder = self.folder / line.removeprefix("$ cd ")
            elif line.startswith("$ setia "):
                self.setia(shlex.split(line.removeprefix("$ setia ")))
            else:
                raise AssertionError(f"a console block holds a line that is not run: {line}")

    def setia(self, words: list[str]) -> None:
        wide = {**os.environ, "COLUMNS": "110"}
        done = subprocess.run(
            [SETIA, *words], cwd=self.folder, env=wide, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"setia {shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        self.printed = done.stdout
        self.commands += 1


@pytest.fixture(scope="module")
def surroundings() -> Iterator[pytest.MonkeyPatch]:
    """No settings from the environment of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SETIA_")]:
            patch.delenv(name)
        for name, value in QUICK.items():
            patch.setenv(name, value)
        yield patch


@pytest.mark.slow
def test_tutorial(tmp_path: Path, surroundings: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path)
    try:
        for language, text in blocks(TUTORIAL):
            if language == "python":  # written for the folder in which the reader began
                Run(tmp_path).python(text, TUTORIAL)
            else:
                run.block(language, text, TUTORIAL)
        assert run.commands > 8
        assert (tmp_path / "my-shop" / "reports" / "report-id.html").is_file()
    finally:
        destroy(tmp_path / "my-shop")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, surroundings: pytest.MonkeyPatch) -> Iterator[Path]:
    """The tutorial's workspace, imported and refreshed, with a mail server that takes everything."""
    folder = tmp_path_factory.mktemp("how-to")
    Run(folder).python(blocks(TUTORIAL)[0][1], TUTORIAL)
    workspace = setia.init(folder / "my-shop", ShopSettings(name="Toko Kopi"))
    try:
        for name in QUICK:  # the pages look at what this refresh predicts; theirs need not look back once more
            surroundings.delenv(name)
        with setia.open(workspace) as shop:
            shop.import_files([folder / "orders.csv", folder / "customers.csv"])
            shop.refresh()
        for name, value in QUICK.items():
            surroundings.setenv(name, value)
        with Mailbox() as mailbox:
            surroundings.setenv("SETIA_EMAIL__HOST", "127.0.0.1")
            surroundings.setenv("SETIA_EMAIL__PORT", str(mailbox.port))
            surroundings.setenv("SETIA_EMAIL__SECURITY", "none")
            yield workspace
    finally:
        destroy(workspace)


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_how_to(page: Path, workspace: Path) -> None:
    assert blocks(page), "a page without a single example that runs"
    run = Run(workspace)
    with setia.open(workspace) as run.names["shop"]:
        run.all_of(page)
