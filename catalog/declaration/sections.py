"""The port through which rooms above bring their own sections of a catalog file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from catalog.declaration.entries import Entry

OWN_SECTIONS = ("clusters", "contexts", "services", "topics")


@dataclass(frozen=True)
class FieldChange:
    """One field that a declaration changed, as text."""

    field: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.field} {self.old} → {self.new}"


@dataclass(frozen=True)
class Change:
    """What became of one declared thing; `kind` is its section's singular (`topic`, …)."""

    kind: str
    name: str
    action: Literal["created", "changed", "unchanged"]
    fields: tuple[FieldChange, ...] = ()


class SectionHandler(Protocol):
    """Applies one section of a declaration.

    Called inside the transaction that applies all of it, after the catalog's own sections, so
    that services, contexts and topics can be looked up; what it writes is rolled back when
    anything is wrong, or on a dry run. It complains through its entries (`entry.complain`), which
    knows the lines, and has no effect outside the database.
    """

    def __call__(self, entries: Sequence[Entry]) -> list[Change]:
        """Apply the entries, and return what became of each."""
        ...


_handlers: dict[str, SectionHandler] = {}


def register_section(name: str, handler: SectionHandler) -> None:
    """Let `handler` apply the section `name` from now on; for `AppConfig.ready`."""
    if name in OWN_SECTIONS:
        raise ValueError(f"the catalog itself applies {name!r}")
    _handlers[name] = handler


def section_handler(name: str) -> SectionHandler | None:
    """Return who applies a section that is not the catalog's own."""
    return _handlers.get(name)


def known_sections() -> list[str]:
    """Return the top-level keys that a catalog file may hold."""
    return [*OWN_SECTIONS, *_handlers]
