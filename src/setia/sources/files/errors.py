"""What can be wrong with a file. Each message says what, where and how to mend it."""

from __future__ import annotations

from setia.kernel.errors import SetiaError


class FileMissing(SetiaError):
    """There is no file {path}. Check the name and the folder."""

    code = "files.missing"


class FileEmpty(SetiaError):
    """{path} is empty. Export it again and import the new file."""

    code = "files.empty"


class NotATable(SetiaError):
    """{path} is not a table of text: {problem}. Export it as CSV (UTF-8) or Parquet."""

    code = "files.not_a_table"


class FileTruncated(SetiaError):
    """{path} breaks off in the middle: it was not copied or downloaded to its end. Fetch it again."""

    code = "files.truncated"


class LineTooLong(SetiaError):
    """{path} has a line of more than {limit} characters (from byte {byte}); probably a quotation mark is never closed
    or it is not a CSV file. Mend that line or export the file again."""

    code = "files.line_too_long"


class ColumnMissing(SetiaError):
    """{path} has no column that could be {role}. Its columns are: {columns}. Name the right one in a mapping file
    (a line `{key} = "column name"`) and pass it with `--map`."""

    code = "files.column_missing"


class MappingWrong(SetiaError):
    """The mapping {path} cannot be used: {problem}."""

    code = "files.mapping_wrong"


class RowsRejected(SetiaError):
    """{path} has {count} rows that cannot be read, the first in row {row}: {reason}. Nothing was imported because of
    `--strict`; without it these rows go to a rejects file and the rest is imported."""

    code = "files.rows_rejected"


class NothingUsable(SetiaError):
    """Not one row of {path} can be read; the first problem is in row {row}: {reason}. Nothing was imported."""

    code = "files.nothing_usable"
