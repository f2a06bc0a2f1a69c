"""What is judged BACKWARD-compatible is: old instances validate under the new schema.

`jsonschema` is the judge. SOUNDNESS_EXAMPLES sets the number of generated pairs.
"""

import json
import os
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from registry.formats.json_schema import FORMAT
from tests.registry.formats.generate_json_schema import instances, pairs
from tests.registry.formats.judge_json_schema import parsed, readable

EXAMPLES = int(os.environ.get("SOUNDNESS_EXAMPLES", "120"))


def _judgeable(schema: Any) -> Any:
    """The same schema without boolean `items`, on which the judge stumbles."""
    if isinstance(schema, list):
        return [_judgeable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _judgeable(value) for key, value in schema.items()}
    if isinstance(found.get("items"), bool):
        found["items"] = {} if found["items"] else {"not": {}}
    return found


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(pair=pairs(), data=st.data())
def test_old_data_stays_valid(pair: tuple[Any, Any], data: st.DataObject) -> None:
    original, update = pair
    assume(readable(original, update))
    judge = Draft7Validator(_judgeable(update))
    before = Draft7Validator(_judgeable(original))
    for _ in range(6):
        instance = data.draw(instances(original))
        if before.is_valid(instance):
            assert judge.is_valid(instance), json.dumps([original, update, instance])


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(pair=pairs())
def test_no_change_no_differences_and_no_crash(pair: tuple[Any, Any]) -> None:
    original, update = map(parsed, pair)
    assert FORMAT.compare(original, original) == []
    for policy in ("STRICT", "LENIENT"):
        strict = FORMAT.compare(original, update, policy)
        assert all(difference.path.startswith("#/") for difference in strict)
    FORMAT.fields(update)


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(pair=pairs())
def test_lenient_accepts_whatever_strict_accepts(pair: tuple[Any, Any]) -> None:
    assert not readable(*pair) or readable(*pair, "LENIENT")
