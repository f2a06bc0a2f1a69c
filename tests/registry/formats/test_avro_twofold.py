"""A few records that name each other twice: exponential for who follows every path."""

import json
import time
from typing import Any

import pytest

from registry import formats
from registry.formats.contract import SchemaInvalidError

Json = dict[str, Any]


def _record(name: str, *fields: Json) -> Json:
    return {"type": "record", "name": name, "fields": list(fields)}


def _twofold(depth: int) -> str:
    kind = _record(f"R{depth}", {"name": "a", "type": "int", "default": 0})
    for at in range(depth - 1, -1, -1):
        fields = [{"name": "a", "type": kind, "default": {}}]
        fields.append({"name": "b", "type": f"R{at + 1}", "default": {}})
        kind = _record(f"R{at}", *fields)
    return json.dumps(kind)


def test_defaults_of_defaults_are_judged_once() -> None:
    parsed = formats.get("AVRO").parse(_twofold(40))
    began = time.thread_time()
    formats.check_new(parsed)
    assert time.thread_time() - began < 1


def test_a_default_that_needs_itself_is_none() -> None:
    text = json.dumps(_record("A", {"name": "a", "type": "A", "default": {}}))
    with pytest.raises(SchemaInvalidError, match="Invalid default for field a"):
        formats.check_new(formats.get("AVRO").parse(text))
