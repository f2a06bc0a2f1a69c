"""What a replay says of the records that it tried."""

import pytest

from lineage.connectors.replaying import told

ALL = "accounted for in the copy"
LEFT = "still in quarantine:"


@pytest.mark.parametrize(
    ("done", "compacted", "stays", "said"),
    [
        (3, 0, [], f"3 of 3 records {ALL}"),
        (2, 1, [], f"2 of 2 records {ALL} (1 compacted away: newer ones of their keys stand)"),
        (0, 0, ["no schema"], f"nothing could be copied; 1 record is {LEFT} no schema"),
        (0, 0, ["no key"] * 2, f"nothing could be copied; 2 records are {LEFT} no key"),
        (1, 0, ["a", "b", "b"], f"1 of 4 records {ALL}; 3 records are {LEFT} b (2), a (1)"),
    ],
)
def test_what_came_back_and_what_did_not_and_why(
    done: int, compacted: int, stays: list[str], said: str
) -> None:
    assert told(done, compacted, stays) == said


def test_of_many_reasons_the_most_frequent_are_told() -> None:
    said = told(0, 0, ["a", "a", "b", "b", "c", "c", "d", "e"])
    assert said.endswith("8 records are still in quarantine: a (2), b (2), c (2), and 2 others")
