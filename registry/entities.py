"""What the actions answer: immutable values, free of the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from registry.formats.contract import Dependency, FormatName
from registry.identity import Reference
from registry.naming import SubjectName


@dataclass(frozen=True)
class SchemaText:
    """What an id stands for in its context; `dependencies` are its references, resolved."""

    id: int
    guid: UUID
    context: str
    format: FormatName
    text: str
    references: tuple[Reference, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    metadata: dict[str, Any] | None = None
    ruleset: dict[str, Any] | None = None


@dataclass(frozen=True)
class SubjectVersion:
    """One version of a subject; `deleted` by a soft delete."""

    subject: SubjectName
    version: int
    schema: SchemaText
    registered_at: datetime
    registered_by: str = ""
    deleted: bool = False
