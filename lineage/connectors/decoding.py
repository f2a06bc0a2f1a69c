"""The schemas of our registry, for records framed with them: the seam of engine and registry."""

from uuid import UUID

from lineage.connectors.engine_parts import Writer
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.framing import FramedDecoder
from lineage.connectors.writers import writer_of
from registry.actions import parsed
from registry.actions.parsing import parse_cached
from registry.actions.reading import find_guid, schema_text
from registry.errors import SchemaNotFoundError
from registry.formats.contract import Parsed, SchemaInvalidError


def _schema(frame: bytes) -> Parsed:
    if frame[0] == 0:
        return parsed(int.from_bytes(frame[1:], "big"))
    schema = schema_text(find_guid(UUID(bytes=frame[1:]))[0])
    return parse_cached(schema.format, schema.text, schema.dependencies)


def _writer(frame: bytes) -> Writer:
    try:
        return writer_of(_schema(frame))
    except (SchemaNotFoundError, SchemaInvalidError) as error:
        raise PoisonRecordError(str(error)) from error


class RegistryDecoder(FramedDecoder):
    """Decodes with the schemas of our registry; used by one thread."""

    def __init__(self) -> None:
        super().__init__(_writer)
