"""The schema that events are checked with is what the official client's classes say."""

import pytest
from jsonschema import Draft202012Validator

from lineage.openlineage.checking import SPECIFICATION
from tests.lineage.openlineage import published


def test_the_schema_is_what_the_clients_classes_say() -> None:
    assert published.FILE == SPECIFICATION
    # renew it with: python -m tests.lineage.openlineage.published
    assert SPECIFICATION.read_bytes() == published.rendered()


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(published.published())


@pytest.mark.parametrize("part", ["RunEvent", "JobEvent", "DatasetEvent"])
def test_it_knows_all_three_events(part: str) -> None:
    assert published.published()["$defs"][part]["required"][:3] == [
        "eventTime",
        "producer",
        "schemaURL",
    ]
