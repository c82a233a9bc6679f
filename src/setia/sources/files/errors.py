"""What can be wrong with a file. Each message says what, where and how to mend it."""

from __future__ import annotations

from setia.kernel.errors import SetiaError


class FileMissing(SetiaError):
    """There is no file {path}. Check the name and the folder."""

    code = "files.missing"


class FileEmpty(SetiaError):
    """{path} is empty. Export it again and import the new file."""

    code = "files.empty"


class FileUnreadable(SetiaError):
    """{path} cannot be opened: {problem}. Give yourself the right to read it, or copy it elsewhere."""

    code = "files.unreadable"


class NoRows(SetiaError):
    """{path} names its columns but has no row under them. Export it again and import the new file."""

    code = "files.no_rows"


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


class ColumnUnreadable(SetiaError):
    """The column {column!r} of {path} cannot be read as {role}: {holds}. Mend it, or name another column in a mapping
    file (a line `{key} = "column name"`) and pass it with `--map`."""

    code = "files.column_unreadable"


class QuoteNotClosed(SetiaError):
    """{path} opens a quotation mark in row {row} that is not closed, so that the rows after it cannot be told apart:
    {content}. Mend that row or export the file again. Nothing was imported."""

    code = "files.quote_not_closed"


class AmountsTooLarge(SetiaError):
    """The amounts of one order add up to more than 14 digits before the point ({problem}). Nothing was imported; check
    that the right columns are read as amount, quantity and price."""

    code = "files.amounts_too_large"


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


class BeginsInAnotherFile(SetiaError):
    """{path} has {rows} lines of orders whose first line is not in it, such as order {order}: a large export is cut
    into several files. Import all files of the export in one command, in their order. Nothing was imported."""

    code = "files.begins_in_another_file"


class Declined(SetiaError):
    """Nothing was imported. To change what columns mean, write a mapping file with `--write-map` and pass it with
    `--map`."""

    code = "files.declined"


class FileEncrypted(SetiaError):
    """{path} is locked with a password. Save it again without one and import that file."""

    code = "files.encrypted"


class UnpacksTooLarge(SetiaError):
    """{path} has {packed} but would unpack to {unpacked} or more, as no export does. Check where it comes from; if it
    is what you want, unpack it yourself and import the files inside."""

    code = "files.unpacks_too_large"


class DiskFull(SetiaError):
    """{path} needs {needed} more to be unpacked in {folder}, where {free} may still be used. Make room and try
    again."""

    code = "files.disk_full"


class TooManyParts(SetiaError):
    """{path} holds {count} parts (sheets, files or tables); Setia reads {limit} at most. Import the ones you want as
    files of their own."""

    code = "files.too_many_parts"


class TooManyColumns(SetiaError):
    """{path} has {count} columns; Setia reads {limit} at most. Export only the columns that you need, or check that
    rows and columns have not changed places."""

    code = "files.too_many_columns"


class NoTable(SetiaError):
    """{path} holds no table that Setia can read: {problem}. Export your orders again, as CSV or Excel."""

    code = "files.no_table"


class SheetTooLarge(SetiaError):
    """{path} cannot be read: one of its sheets takes more memory or time than Setia gives a sheet, perhaps because of
    a stray cell far below or to the right of the table. Save that sheet as CSV (UTF-8) and import that file."""

    code = "files.sheet_too_large"
