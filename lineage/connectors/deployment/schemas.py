"""What is registered of a connector's topics, as far as rendering needs it."""

from lineage.connectors.columns import Plan
from lineage.connectors.definition import Definition
from lineage.connectors.deployment.rendering import Shape
from lineage.connectors.writers import writer_of
from registry.actions import find_version
from registry.actions.parsing import parse_cached
from registry.errors import RegistryError
from registry.formats.contract import Parsed, SchemaInvalidError


def shape_of(definition: Definition) -> Shape:
    """Return formats and columns of the newest schemas; of several topics, the first one's."""
    value = _newest(f"{definition.topics[0]}-value")
    wants_key = definition.key_format == "schema" and definition.mode == "table"
    key = _newest(f"{definition.topics[0]}-key") if wants_key else None
    return Shape(
        format=value.format if value else None,
        value=_plan(value),
        key_format=key.format if key else None,
        key=_plan(key),
        nanoseconds=bool(value and "timestamp-nanos" in value.text),
    )


def _newest(subject: str) -> Parsed | None:
    """Return the newest schema of a subject; None where there is none that can be read."""
    try:
        schema = find_version(subject).schema
        return parse_cached(schema.format, schema.text, schema.dependencies)
    except (RegistryError, SchemaInvalidError):
        return None


def _plan(schema: Parsed | None) -> Plan | None:
    return writer_of(schema).plan if schema else None
