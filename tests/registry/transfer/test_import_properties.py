"""Imports of any registries, one after the other: nothing that is here ever changes."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.identity import Reference
from registry.transfer.apply import Options, import_snapshot
from registry.transfer.entries import Snapshot, VersionEntry
from registry.transfer.store import read_store
from tests.registry.transfer.samples import avro, empty, entry, snapshot

pytestmark = pytest.mark.django_db

_texts = [avro("A"), avro("B", "x"), '"string"', "{poison"]
_subjects = ["a", "b", ":.eu:a"]
_entries = st.builds(
    entry,
    st.sampled_from(_subjects),
    st.integers(1, 3),
    st.integers(0, 6),
    st.sampled_from(_texts),
    deleted=st.booleans(),
    references=st.lists(
        st.builds(Reference, st.just("n"), st.sampled_from(_subjects), st.integers(1, 3)),
        max_size=1,
    ).map(tuple),
)
_registries = st.lists(_entries, max_size=8, unique_by=lambda each: each.key).map(
    lambda entries: snapshot(*entries)
)


def content(each: VersionEntry) -> tuple[object, ...]:
    return each.format, each.text, each.references, each.metadata, each.ruleset


def check(found: Snapshot) -> None:
    """One schema for an id, and no id that could be given out again."""
    by_id = defaultdict(set)
    for each in found.versions:
        by_id[each.subject.context, each.id].add(content(each))
        assert each.id < found.next_ids[each.subject.context]
    assert all(len(contents) == 1 for contents in by_id.values())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_registries, min_size=1, max_size=3), st.booleans())
def test_what_is_here_stays_and_ids_stand_for_one_schema(
    registries: list[Snapshot], update: bool
) -> None:
    empty()
    for moved in registries:
        before = {each.key: (each.id, content(each)) for each in read_store().versions}
        foretold = import_snapshot(moved, Options(dry_run=True, update=update))
        report = import_snapshot(moved, Options(update=update))
        assert foretold.counts == report.counts
        assert foretold.noteworthy == report.noteworthy
        after = read_store()
        check(after)
        kept = {each.key: (each.id, content(each)) for each in after.versions}
        assert kept.items() >= before.items()
        again = import_snapshot(moved, Options(update=update))
        assert again.counts["created"] == again.counts["updated"] == 0
        assert again.counts["refused"] == report.counts["refused"]
        assert sum(again.counts.values()) == len(moved.versions)
