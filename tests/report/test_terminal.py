from __future__ import annotations

import io

import pytest
from rich.console import Console

from setia.report import terminal


def printed(page, speaker) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    terminal.show(page, speaker, console)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def shown(page, speaker) -> str:
    return printed(page, speaker)


def test_every_figure_is_there(shown, page):
    *others, analysts = page.sections
    assert analysts.title not in shown
    for section in others:
        assert section.title in shown
        assert all(h.title in shown and h.value in shown for h in section.headlines)
        assert all(f.title in shown and f.finding in shown and f.note in shown for f in section.figures)


def test_long_tables_say_how_many_rows_are_left_out(shown):
    assert "… and 169 more rows" in shown  # the survival curve has 181
    assert shown.count("… and 1 more rows") == 2  # 13 months, twice


def test_open_cells_are_marked(shown):
    assert "· not complete yet" in shown
    assert "No data yet." in shown


def test_hostile_words_reach_the_terminal_as_words(hostile_page, speaker):
    out = printed(hostile_page, speaker)
    assert "\x1b" not in out
    assert "<script>" in out


def test_brackets_are_no_markup(page, speaker):
    import dataclasses

    odd = dataclasses.replace(page, title="[bold]Kopi[/bold] [/nothing]")
    assert "[bold]Kopi[/bold] [/nothing]" in printed(odd, speaker)
