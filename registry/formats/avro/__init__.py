"""Avro: own parser, canonical text and compatibility engine, after the Java library 1.12."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import fastavro

from registry.formats.avro.compare import compare
from registry.formats.avro.model import (
    ABSENT,
    Collection,
    Enum,
    Fixed,
    Model,
    Named,
    Record,
    RecordField,
    Type,
    Union,
)
from registry.formats.avro.parse import Parser
from registry.formats.avro.render import Printer, dump
from registry.formats.avro.text import read_json
from registry.formats.contract import (
    Dependency,
    Difference,
    Field,
    FormatName,
    Parsed,
    Policy,
    SchemaInvalidError,
)


class AvroFormat:
    """Avro behind the contract of a format."""

    name: FormatName = "AVRO"

    def parse(self, text: str, dependencies: Sequence[Dependency] = ()) -> Parsed:
        """Parse; each dependency's names are known to what follows it.

        Old schemas may have names and defaults that `strict.check` refuses in new ones.
        """
        parser = Parser()
        roots = [parser.parse(read_json(dependency.text)) for dependency in dependencies]
        known = frozenset(root.identity for root in roots if not isinstance(root, Union))
        referenced = tuple(parser.names.values())
        root = parser.parse(read_json(text))
        model = Model(root, referenced, known, tuple(parser.unfit))
        stored, normal = Printer(model).print(), Printer(model, normal=True).print()
        try:
            stored.encode()
        except UnicodeEncodeError:
            raise SchemaInvalidError("a lone surrogate is no character") from None
        return Parsed("AVRO", stored, normal, tuple(dependencies), model)

    def compare(
        self,
        original: Parsed,
        update: Parsed,
        policy: Policy = "STRICT",  # noqa: ARG002  (Avro has one policy)
    ) -> list[Difference]:
        """Judge whether `update` can read what `original` wrote."""
        return compare(update.model.root, original.model.root)

    def fields(self, parsed: Parsed) -> list[Field]:
        """The fields of the schema's records, by dotted path; a record is entered once per path."""
        return list(_walk(parsed.model.root, "", ()))

    def decoder(self, parsed: Parsed) -> Callable[[bytes], Mapping[str, Any] | Any]:
        """A function from a payload to the values that fastavro reads with the writer's schema."""
        schema = fastavro.parse_schema(read_json(resolved(parsed)))
        return partial(_decode, schema)


def resolved(parsed: Parsed) -> str:
    """The text with every referenced type written where it is first used."""
    return Printer(Model(parsed.model.root)).print()


def _decode(schema: Any, payload: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(payload), schema, None)


def _walk(each: Type, prefix: str, inside: tuple[Type, ...]) -> Iterator[Field]:
    if each in inside:
        return
    if isinstance(each, Union):
        for branch in each.branches:
            yield from _walk(branch, prefix, inside)
    elif isinstance(each, Collection):
        yield from _walk(each.inner, prefix, inside)
    elif isinstance(each, Record):
        for declared in each.fields:
            path = f"{prefix}.{declared.name}" if prefix else declared.name
            yield _field(declared, path)
            yield from _walk(declared.type, path, (*inside, each))


def _field(declared: RecordField, path: str) -> Field:
    absent = declared.default is ABSENT
    tags = declared.props.get("confluent:tags")
    return Field(
        path=path,
        type=_words(declared.type),
        doc=declared.doc or "",
        default=None if absent else dump(declared.default),
        required=absent,
        tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        detail=", ".join(dict.fromkeys(_details(declared.type))),
    )


def _details(each: Type) -> Iterator[str]:
    """What a type's name leaves out: the size of a fixed, precision and scale of a decimal."""
    if isinstance(each, Union):
        for branch in each.branches:
            yield from _details(branch)
    elif isinstance(each, Collection):
        yield from _details(each.inner)
    else:
        if isinstance(each, Fixed):
            yield f"{each.size} bytes"
        for name in ("precision", "scale"):
            if name in each.props:
                yield f"{name} {each.props[name]}"


def _words(each: Type) -> str:
    """A type in a few words, as a page shows it."""
    if isinstance(each, Union):
        return " | ".join(map(_words, each.branches))
    if isinstance(each, Collection):
        return f"{each.kind}<{_words(each.inner)}>"
    if isinstance(each, Enum):
        return f"{each.name.full} enum({', '.join(each.symbols)})"
    if isinstance(each, Named):
        return each.name.full
    logical = each.props.get("logicalType")
    return f"{each.kind} ({logical})" if isinstance(logical, str) else each.kind


FORMAT = AvroFormat()
