"""Every change of the contract, by pairs that give it and neighbours that do not.

`json_schema_cases.json` holds them: the row of the contract, two schemas, all changes with their
paths, and the verdict under each policy.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.formats.json_schema import FORMAT
from registry.formats.json_schema.differences import LENIENT
from tests.registry.formats.judge_json_schema import parsed

CASES = json.loads(Path(__file__).with_name("json_schema_cases.json").read_text())


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['row']}-{'-'.join(case['changes'])}"[:80]
)
def test_changes_and_verdicts(case: dict[str, Any]) -> None:
    original, update = parsed(case["original"]), parsed(case["update"])
    found = FORMAT.compare(original, update)
    assert sorted(f"{each.kind} {each.path}" for each in found) == case["changes"]
    assert all(each.compatible for each in found) is case["strict"]
    lenient = FORMAT.compare(original, update, "LENIENT")
    assert all(each.compatible for each in lenient) is case["lenient"]


def test_every_change_that_a_policy_accepts_has_a_case() -> None:
    given = {change.split()[0] for case in CASES for change in case["changes"]}
    assert given >= LENIENT


@pytest.mark.parametrize("case", CASES[::7])
def test_descriptions_name_the_path_and_both_schemas(case: dict[str, Any]) -> None:
    for each in FORMAT.compare(parsed(case["original"]), parsed(case["update"])):
        assert f"'{each.path}'" in each.description
        assert "old schema" in each.description
        assert "new schema" in each.description
