"""What is judged BACKWARD-compatible is: old instances validate under the new schema.

`jsonschema` is the judge. SOUNDNESS_EXAMPLES sets the number of generated pairs.
"""

import json
import os
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from registry.formats.json_schema import FORMAT
from tests.registry.formats.generate_json_schema import D2020, SCHEMAS_2020, instances, pairs
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


def _is_left_free(schema: Any) -> bool:
    """Whether some object has patterns, and what they do not match may be anything.

    The contract takes such a property for forbidden, so that adding it counts as compatible.
    """
    if isinstance(schema, list):
        return any(map(_is_left_free, schema))
    if not isinstance(schema, dict):
        return False
    patterns = bool(schema.get("patternProperties"))
    free = all(
        schema.get(keyword, True) in (True, {})
        for keyword in ("additionalProperties", "unevaluatedProperties")
    )
    return (patterns and free) or any(map(_is_left_free, schema.values()))


def _valid(judge: Any, instance: Any) -> bool | None:
    try:
        return bool(judge.is_valid(instance))
    except RecursionError:  # a definition that is itself: the judge has no answer
        return None


def _check_soundness(original: Any, update: Any, judge: Any, data: st.DataObject) -> None:
    assume(readable(original, update))
    # `not` and `if` hide from the list of changes which of them the contract decides.
    assume(not (_is_left_free(original) or _is_left_free(update)))
    before, after = judge(_judgeable(original)), judge(_judgeable(update))
    for _ in range(6):
        instance = data.draw(instances(original))
        if _valid(before, instance):
            assert _valid(after, instance) is not False, json.dumps([original, update, instance])


MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@MANY
@given(pair=pairs(), data=st.data())
def test_old_data_stays_valid(pair: tuple[Any, Any], data: st.DataObject) -> None:
    _check_soundness(*pair, Draft7Validator, data)


@MANY
@given(pair=pairs(SCHEMAS_2020), data=st.data())
def test_old_data_stays_valid_in_the_latest_draft(
    pair: tuple[Any, Any], data: st.DataObject
) -> None:
    original, update = (
        {"$schema": D2020, **each} if isinstance(each, dict) else each for each in pair
    )
    _check_soundness(original, update, Draft202012Validator, data)


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
