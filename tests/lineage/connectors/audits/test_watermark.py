"""The watermark advances over passes without a gap, and over nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from lineage.connectors.audits.watermark import advance, behind

OFFSETS = st.dictionaries(st.sampled_from(["t/0", "t/1"]), st.integers(0, 50))


def test_the_first_pass_verifies_what_it_covered() -> None:
    assert advance({}, {"t/0": 0}, {"t/0": 10}) == {"t/0": 10}
    assert advance({}, {"t/0": 7}, {"t/0": 10}) == {"t/0": 10}


def test_a_pass_behind_a_gap_leaves_it_where_it_was() -> None:
    assert advance({"t/0": 5}, {"t/0": 7}, {"t/0": 10}) == {"t/0": 5}
    assert advance({"t/0": 7}, {"t/0": 7}, {"t/0": 10}) == {"t/0": 10}


def test_a_copy_that_went_back_is_verified_to_where_it_stands() -> None:
    assert advance({"t/0": 9}, {"t/0": 0}, {"t/0": 4}) == {"t/0": 4}
    assert advance({"t/0": 9}, {}, {"t/0": -1}) == {"t/0": 0}


@given(verified=OFFSETS, begins=OFFSETS, ends=OFFSETS)
def test_it_never_passes_what_was_covered(
    verified: dict[str, int], begins: dict[str, int], ends: dict[str, int]
) -> None:
    through = advance(verified, begins, ends)
    assert through.keys() == ends.keys()
    assert all(through[place] <= end for place, end in ends.items())
    assert behind(through, ends) == sum(end - through[place] for place, end in ends.items())
