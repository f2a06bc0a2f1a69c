"""Hide what was kept of a copy before its definition masked it."""

from typing import Any

from django.conf import settings

from lineage.connectors.definition import Definition
from lineage.connectors.discretion import HIDDEN, Discretion, hidden_columns
from lineage.connectors.models import Connector, Divergence, Quarantine


def hide_kept(connector: Connector, definition: Definition) -> None:
    """Take out of quarantine and divergences what the definition masks from now on."""
    discretion = Discretion(definition, settings.MASK_SECRET.encode())
    if not discretion.masks:
        return
    for row in Quarantine.objects.filter(connector=connector):
        row.reason = discretion.reason(row.reason)
        if discretion.masks_key:
            row.key = HIDDEN
        row.save(update_fields=["key", "reason"])
    for it in Divergence.objects.filter(connector=connector):
        it.expected, it.found = _hidden(definition, it.expected), _hidden(definition, it.found)
        if discretion.masks_key:
            it.key = f"{HIDDEN} ({it.key_hash[:8]})"
        it.save(update_fields=["key", "expected", "found"])


def _hidden(definition: Definition, values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    hidden = hidden_columns(definition.columns, values)
    return {
        name: HIDDEN if name in hidden and value is not None else value
        for name, value in values.items()
    }
