"""JSON Schema as a registry format: drafts 4, 6, 7, 2019-09 and 2020-12; nothing is fetched."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from registry.formats.contract import Dependency, Difference, Field, FormatName, Parsed, Policy
from registry.formats.json_schema.build import build
from registry.formats.json_schema.compare import compare
from registry.formats.json_schema.model import Node
from registry.formats.json_schema.outline import outline
from registry.formats.json_schema.rules import judge
from registry.formats.json_schema.text import read, write, write_sorted


class JsonSchemaFormat:
    """The contract's Format for JSON Schema."""

    name: FormatName = "JSON"

    def parse(self, text: str, dependencies: Sequence[Dependency] = ()) -> Parsed:
        """Read, fold into the model, resolve all references; SchemaInvalidError otherwise."""
        value = read(text)
        return Parsed(
            format=self.name,
            text=write(value),
            normal=write_sorted(value),
            dependencies=tuple(dependencies),
            model=build(value, dependencies),
        )

    def compare(
        self, original: Parsed, update: Parsed, policy: Policy = "STRICT"
    ) -> list[Difference]:
        """All changes; ComparisonTooLargeError when they take more than the work allowed."""
        if original.normal == update.normal and original.dependencies == update.dependencies:
            return []
        return compare(judge, _model(original), _model(update), policy)

    def fields(self, parsed: Parsed) -> list[Field]:
        """Properties in declared order, with `confluent:tags`."""
        return outline(_model(parsed))

    def decoder(self, parsed: Parsed) -> Callable[[bytes], Any]:
        """The payload is JSON text in UTF-8; ValueError when it is not."""
        del parsed  # the text describes itself
        return json.loads


def _model(parsed: Parsed) -> Node:
    model = parsed.model
    if not isinstance(model, Node):
        raise TypeError(f"not a JSON Schema: {parsed.format}")
    return model


FORMAT = JsonSchemaFormat()
