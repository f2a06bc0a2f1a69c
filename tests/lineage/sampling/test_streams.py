"""Which topics are certain to be one Streams application's."""

import pytest

from broker.observe import Group, GroupListing, Member
from lineage.sampling.streams import owners

COUNTS = "app-counts-changelog"


def group(
    name: str, kind: str = "classic", assignor: str = "stream", **rest: frozenset[str]
) -> Group:
    member = Member("m", f"{name}-1-StreamThread-1-consumer", "h", frozenset())
    return Group(
        GroupListing(name, kind, "Stable", "consumer"), (member,), assignor=assignor, **rest
    )


def test_a_classic_application_owns_what_its_id_prefixes() -> None:
    assert owners([COUNTS, "other-changelog"], [group("app")], ["app", "x"]) == {COUNTS: "app"}


@pytest.mark.parametrize("assignor", ["range", ""])
def test_a_plain_group_of_that_name_owns_nothing(assignor: str) -> None:
    assert owners([COUNTS], [group("app", assignor=assignor)], ["app"]) == {}


def test_two_that_could_own_it_leave_it_unowned() -> None:
    topic = "app-b-counts-changelog"
    assert owners([topic], [group("app")], ["app", "app-b"]) == {}
    assert owners([topic], [group("app"), group("app-b")], []) == {}


def test_a_topology_says_so_itself() -> None:
    told = group("app", "streams", "", writes=frozenset({COUNTS}))
    assert owners([COUNTS], [told, group("ap")], ["app", "app-counts"]) == {COUNTS: "app"}
