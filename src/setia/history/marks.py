"""Functions that every engine has under the same name and Ibis does not."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _bit_or() -> Any:
    import ibis

    def bit_or(marks: int) -> int:
        """The engine's own function; never called."""
        raise NotImplementedError(marks)

    # Ibis reads the types here, where they are no strings.
    bit_or.__annotations__ = {"marks": int, "return": int}
    return ibis.udf.agg.builtin(bit_or)


def bit_or(marks: Any) -> Any:
    """The marks of a column of whole numbers joined bit by bit, as an aggregate."""
    return _bit_or()(marks)


@cache
def _get_json_object() -> Any:
    import ibis

    def get_json_object(document: str, path: str) -> str:
        """The engine's own function, DuckDB's made by `warehouse.duck`; never called."""
        raise NotImplementedError(document, path)

    get_json_object.__annotations__ = {"document": str, "path": str, "return": str}
    return ibis.udf.scalar.builtin(get_json_object)


def get_json_object(document: Any, path: str) -> Any:
    """The field of a column of JSON objects as a text, null where there is none."""
    return _get_json_object()(document, path)
