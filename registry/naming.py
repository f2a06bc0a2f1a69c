"""Qualified subject names: `:.context:subject`, plain `subject` in the default context.

Confluent's words: `.` is the default context, `:.__GLOBAL:` scopes config and mode of all
contexts, `:*:` stands for every context in a search.
"""

import re
from dataclasses import dataclass

DEFAULT_CONTEXT = "."
GLOBAL_CONTEXT = ".__GLOBAL"
ANY_CONTEXT = "*"
LONGEST_SUBJECT = 600
LONGEST_CONTEXT = 255

_QUALIFIED = re.compile(r":(\.[^:]*|\*)(?::(.*))?\Z", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_RESERVED = frozenset({"__GLOBAL", "__EMPTY"})


@dataclass(frozen=True, order=True)
class SubjectName:
    """A subject in its context; `str()` gives the qualified form that clients see."""

    context: str
    name: str

    @classmethod
    def read(cls, text: str, context: str = DEFAULT_CONTEXT) -> "SubjectName":
        """Read a qualified name; a plain one belongs to `context`."""
        match = _QUALIFIED.match(text)
        if match is None:
            return cls(context, text)
        return cls(match[1], match[2] or "")

    @property
    def is_valid(self) -> bool:
        """Whether a schema may be registered, configured or looked up under this name."""
        return (
            self.name not in _RESERVED
            and len(self.name) <= LONGEST_SUBJECT
            and len(self.context) <= LONGEST_CONTEXT
            and not _CONTROL.search(self.name)
            and not _CONTROL.search(self.context)
        )

    @property
    def scope(self) -> str:
        """The key of this subject's, or with an empty name its context's, config and mode."""
        return str(self) if self.name else context_scope(self.context)

    def __str__(self) -> str:
        if self.context == DEFAULT_CONTEXT:
            return self.name
        return f":{self.context}:{self.name}"


def context_scope(context: str) -> str:
    """The key of a context's own config and mode."""
    return f":{context}:"


def read_context(text: str) -> str:
    """A context as a path or a parameter spells it: `c`, `.c`, `:.c:`."""
    name = text.strip(":")
    return name if name.startswith(".") else f".{name}"
