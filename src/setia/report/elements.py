"""SVG elements as text. Everything that is not markup already is escaped here and nowhere else."""

from __future__ import annotations

from markupsafe import Markup, escape

Attribute = str | float | None


def tag(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """An element: `stroke_width` becomes `stroke-width`, `class_` becomes `class`, None is left out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{shown}>{''.join(map(escape, children))}</{name}>")


def joined(*parts: str) -> Markup:
    """Elements one after the other."""
    return Markup("").join(parts)


def share(value: float) -> str:
    """A share of the width, as SVG writes it."""
    return f"{_plain(value * 100)}%"


def _plain(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
