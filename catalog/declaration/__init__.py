"""The catalog file: what teams declare, read with the line of every complaint."""

from catalog.declaration.entries import Entry
from catalog.declaration.reading import (
    ClusterDeclared,
    ContextDeclared,
    Declaration,
    ServiceDeclared,
    TopicDeclared,
    read,
)
from catalog.declaration.sections import Change, FieldChange, SectionHandler, register_section
from catalog.errors import Complaint, DeclarationInvalidError, Place

__all__ = [
    "Change",
    "ClusterDeclared",
    "Complaint",
    "ContextDeclared",
    "Declaration",
    "DeclarationInvalidError",
    "Entry",
    "FieldChange",
    "Place",
    "SectionHandler",
    "ServiceDeclared",
    "TopicDeclared",
    "read",
    "register_section",
]
