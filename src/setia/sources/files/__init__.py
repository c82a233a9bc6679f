"""Files of every make: exports of shop systems, marketplaces and tools, tables, workbooks, JSON, and zips of them.

Reads what the owner has; writes staged rows for the warehouse. `container` makes every table of a file readable,
`table` opens it, `values` reads its cells, `recognition` finds the layout of which it has the columns, `formats`
declares the layouts (one small folder per format), `sales` turns rows into facts, `importing` joins all into one write.
To add a format, see docs/how-to/add-a-file-format.md.
"""

from __future__ import annotations
