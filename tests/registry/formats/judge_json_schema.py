"""Short forms for tests of JSON Schema: parse a value, list the changes of a pair."""

import json
from typing import Any

from registry.formats.contract import Dependency, Parsed, Policy
from registry.formats.json_schema import FORMAT


def parsed(schema: Any, **references: Any) -> Parsed:
    dependencies = [
        Dependency(name.replace("_", "."), json.dumps(value)) for name, value in references.items()
    ]
    return FORMAT.parse(json.dumps(schema), dependencies)


def changes(original: Any, update: Any, policy: Policy = "STRICT") -> set[tuple[str, str]]:
    return {
        (difference.kind, difference.path)
        for difference in FORMAT.compare(parsed(original), parsed(update), policy)
    }


def kinds(original: Any, update: Any) -> set[str]:
    return {kind for kind, _ in changes(original, update)}


def readable(original: Any, update: Any, policy: Policy = "STRICT") -> bool:
    found = FORMAT.compare(parsed(original), parsed(update), policy)
    return all(difference.compatible for difference in found)
