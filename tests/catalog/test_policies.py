"""Each policy, on snapshots made for it."""

from datetime import timedelta

import pytest

from catalog import policies
from catalog.policies.contract import ClusterState, Finding, Snapshot, TopicState
from tests.catalog.conftest import NOW, access

OWNED = TopicState("local", "orders", "event", "sales", "orders", "sales", declared=True)


def _check(*topics: TopicState, clusters: tuple[ClusterState, ...] = ()) -> list[Finding]:
    return policies.check(Snapshot(NOW, topics, clusters))


def _topic(**values: object) -> TopicState:
    return TopicState(**({**OWNED.__dict__, **values}))


def test_nothing_is_found_where_all_is_well() -> None:
    assert _check(_topic(accesses=(access(), access(direction="reads", service="mail")))) == []


def test_a_violation_is_an_error_with_its_evidence() -> None:
    (found,) = _check(_topic(accesses=(access(service="billing"),)))
    assert (found.id, found.severity) == ("single-writer/topic/local/orders", "error")
    assert "billing wrote it 3 s ago" in found.message


def test_a_foreign_writer_is_remembered_for_a_week() -> None:
    day = 86400
    before = access(service="billing", ago=2 * day, active=False)
    (found,) = _check(_topic(accesses=(access(), before)))
    assert (found.rule, found.severity) == ("single-writer", "warning")
    assert _check(_topic(accesses=(access(service="b", ago=8 * day, active=False),))) == []


def test_several_writers_without_a_declared_one() -> None:
    accesses = (access(), access(service="billing"))
    rules = {found.rule for found in _check(_topic(writer=None, accesses=accesses))}
    assert rules == {"single-writer", "ownership"}


def test_a_command_has_one_receiver() -> None:
    readers = tuple(access(direction="reads", service=name) for name in ("mail", "billing"))
    (found,) = _check(_topic(kind="command", accesses=(access(), *readers)))
    assert found.rule == "command-reader"
    assert found.message.startswith("billing and mail all read this command")
    assert _check(_topic(kind="event", accesses=(access(), *readers))) == []
    assert _check(_topic(kind="command", accesses=(access(), readers[0]))) == []


def test_a_copy_of_a_command_is_no_receiver() -> None:
    copy = access(direction="reads", service=None, actor="archive", actor_kind="copy")
    mail = access(direction="reads", service="mail")
    assert _check(_topic(kind="command", accesses=(copy, mail))) == []


def test_shared_data_has_an_owner() -> None:
    undeclared = TopicState("local", "x", accesses=(access("x"), access("x", "mail", "reads")))
    (found,) = _check(undeclared)
    assert (found.rule, found.severity) == ("ownership", "warning")
    assert found.message == "written by orders and read by mail, but declared by nobody"
    assert _check(TopicState("local", "idle")) == []
    (found,) = _check(_topic(writer=None))
    assert found.message.startswith("declared without a writer")
    (found,) = _check(_topic(writer_context="money"))
    assert "its writer orders belongs to money" in found.message


def test_what_is_declared_exists() -> None:
    (missing,) = _check(_topic(present=False))
    (gone,) = _check(_topic(present=False, gone=True))
    assert (missing.severity, gone.severity) == ("warning", "error")


def test_a_silent_cluster_is_found_once() -> None:
    before = NOW - timedelta(hours=2)
    silent = ClusterState("local", reachable=False, message="refused", reached_at=before)
    (found,) = _check(_topic(present=False), clusters=(silent,))
    assert (found.id, found.message) == (
        "presence/cluster/local",
        "not reached for 2 h: refused",
    )


@pytest.mark.parametrize(
    ("kind", "cleanup", "retention", "canonical", "severity"),
    [
        ("table", "delete", 604_800_000, False, "error"),
        ("table", "compact", 604_800_000, True, None),
        ("table", "delete", -1, False, None),
        ("event", "compact", -1, False, "warning"),
        ("event", "compact,delete", 1000, False, "warning"),
        ("event", "delete", 604_800_000, True, "info"),
        ("event", "delete", -1, True, None),
        ("event", "delete", 604_800_000, False, None),
        ("event", "", None, True, None),
    ],
)
def test_the_log_keeps_what_its_kind_promises(
    kind: str, cleanup: str, retention: int | None, canonical: bool, severity: str | None
) -> None:
    topic = _topic(kind=kind, cleanup_policy=cleanup, retention_ms=retention, canonical=canonical)
    found = _check(topic)
    assert [each.severity for each in found] == ([severity] if severity else [])


def test_of_kafkas_own_topics_nothing_is_expected() -> None:
    accesses = (access(), access(service="billing"))
    assert _check(TopicState("local", "__consumer_offsets", "internal", accesses=accesses)) == []


def test_the_gravest_comes_first() -> None:
    found = _check(
        _topic(name="a", canonical=True, retention_ms=5),
        _topic(name="b", accesses=(access(service="billing"),)),
        _topic(name="c", writer=None),
    )
    assert [each.severity for each in found] == ["error", "warning", "info"]
