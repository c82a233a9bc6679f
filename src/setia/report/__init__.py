"""Pages for people: figures drawn as HTML, SVG, terminal text, notebook HTML and JSON, the same in each.

`pages` says what is on a page; `html`, `terminal` and `notebook` show it; `drawing` draws one figure as static SVG
(`svg_line`, `svg_bars`, `svg_intervals` one mark each, over `scales` and `frame`); `grid` lays out a cohort table;
`cells` formats one value; `labels` holds the words of the frame. Computes no metric and reads no data. To add a mark:
name it in `kernel.figure`, write its `svg_<mark>` with one `draw` function and register it in `drawing`.
"""

from __future__ import annotations
