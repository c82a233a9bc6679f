"""Order files and the native layout, from CSV and Parquet.

Reads files the owner has; writes staged rows for the warehouse. `container` opens a file whatever its packing,
`values` types its columns, `formats` says what the columns mean (one small module per format), `importing` joins
them into one write. To add a format, add a module to `formats` and list it in `formats/__init__.py`.
"""

from __future__ import annotations
