"""The section `connectors` of a catalog file."""

from collections.abc import Sequence

from catalog.declaration import Change
from catalog.declaration.entries import Entry
from lineage.connectors.actions import declare
from lineage.connectors.errors import DefinitionInvalidError


def apply_connectors(entries: Sequence[Entry]) -> list[Change]:
    """Declare each connector; what is wrong with one is told with its line."""
    changes = []
    for entry in entries:
        try:
            changes.append(declare(entry.values))
        except DefinitionInvalidError as error:
            entry.complain(str(error), *error.path)
    return changes
