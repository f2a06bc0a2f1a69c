"""The section `connectors` of a catalog file."""

from collections.abc import Sequence

from catalog.declaration import Change
from catalog.declaration.entries import Entry
from lineage.connectors.actions import declare
from lineage.connectors.checking import schema_faults
from lineage.connectors.definition import check
from lineage.connectors.errors import DefinitionInvalidError


def apply_connectors(entries: Sequence[Entry]) -> list[Change]:
    """Declare each connector; what is wrong with one is told with its line."""
    changes = []
    for entry in entries:
        try:
            changes.append(declare(entry.values))
        except DefinitionInvalidError as error:
            for fault in error.faults:
                entry.complain(str(fault), *fault.path)
            continue
        definition = check(entry.values)
        for found in schema_faults(definition):
            where = ".".join(found.path)
            entry.complain(f"connector {definition.name}: {where}: {found.message}", *found.path)
    return changes
