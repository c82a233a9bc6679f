"""Where reports are kept: the page of each language, and every report's figures for good."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from setia.kernel.figure import Page
from setia.kernel.i18n import Speaker
from setia.report.html import as_json, render
from setia.report.pages import without_personal_rows


def keep(folder: Path, made: Page, speaker: Speaker, now: dt.datetime) -> Path:
    """Write a report's page into a folder, and its figures without personal rows beside it; returns the page's path."""
    folder.mkdir(exist_ok=True)
    figures = {**as_json(without_personal_rows(made)), "made_at": now.isoformat()}
    kept = folder / f"{now:%Y%m%dT%H%M%S}-{speaker.language}.json"
    kept.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    target = folder / f"report-{speaker.language}.html"
    target.write_text(render(made, speaker), encoding="utf-8")
    return target
