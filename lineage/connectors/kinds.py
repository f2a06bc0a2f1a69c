"""The kinds of runs: what each is called, the phases it passes, and who carries it out.

A kind is registered when its package's app is ready: the worker executes what is registered, pages
show its phases, the schedule starts it. Pure: no database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.connectors.building import Job

Executor = Callable[["Job"], str]
"""Carries a run out and returns what to say of it; raises ConnectorError where it fails."""


@dataclass(frozen=True)
class RunKind:
    """One kind of run; `phases` are those it reports, in order, after *waiting*."""

    name: str
    phases: tuple[str, ...]
    execute: Executor


_KINDS: dict[str, RunKind] = {}


def register_kind(kind: RunKind) -> None:
    """Make a kind of run known; registered again, the later one counts."""
    _KINDS[kind.name] = kind


def find_kind(name: str) -> RunKind | None:
    """Return a kind by its name; None where no package brought it."""
    return _KINDS.get(name)


def known_kinds() -> list[str]:
    """Name all kinds of runs."""
    return sorted(_KINDS)


def phases_of(name: str) -> tuple[str, ...]:
    """Return what a run of this kind passes through, beginning with *waiting*."""
    kind = _KINDS.get(name)
    return ("waiting", *kind.phases) if kind else ("waiting",)
