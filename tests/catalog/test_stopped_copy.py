"""A copy that has stopped by itself is a finding; one that was paused is none."""

import pytest

from catalog import policies
from catalog.actions import ensure_cluster, list_findings
from catalog.observation import StoppedCopy
from catalog.policies.contract import Snapshot
from lineage.connectors.models import Connector
from tests.catalog.conftest import NOW


def test_its_message_says_why() -> None:
    stopped = StoppedCopy("c", ("a", "b"), "the topic was made anew: regenerate")
    (found,) = policies.check(Snapshot(NOW, stopped=(stopped,)))
    assert (found.id, found.severity) == ("stopped-copy/copy/c", "error")
    assert found.message == ("copying of a and b has stopped: the topic was made anew: regenerate")


@pytest.mark.django_db
def test_only_what_stopped_by_itself_is_one() -> None:
    cluster = ensure_cluster("local", "127.0.0.1:1")
    for state in Connector.State.values:
        Connector.objects.create(
            name=f"copy-{state}",
            cluster=cluster,
            topics=["orders"],
            target="sqlite:///x",
            table="t",
            state=state,
            message="why",
        )
    found = [it for it in list_findings() if it.rule == "stopped-copy"]
    assert [(it.subject.name, it.message) for it in found] == [
        ("copy-stopped", "copying of orders has stopped: why")
    ]
