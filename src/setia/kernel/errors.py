"""The root of every error that Setia raises on purpose."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


def printable(text: str) -> str:
    """With a question mark for each letter that would steer a terminal or cannot be seen; line ends stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


class SetiaError(Exception):
    """Something went wrong that the person in front of the screen can mend.

    A subclass is one kind of failure: its docstring is the message, with the facts named in braces
    (`{path}`), and its `code` never changes, so that programs may rely on it. The doors turn the code
    into an exit status or an HTTP problem; rooms never do.
    """

    code: ClassVar[str] = "setia"
    exit_code: ClassVar[int] = 2

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        self.facts = {name: printable(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}

    @classmethod
    def template(cls) -> str:
        """The message before its facts are filled in: the key under which it is translated."""
        return " ".join(inspect.cleandoc(cls.__doc__ or cls.__name__).split())

    def __str__(self) -> str:
        return self.template().format_map(self.facts)
