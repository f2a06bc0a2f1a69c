"""What processes remember of the ledger is never older than the ledger."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Cluster, Service
from lineage import actions
from lineage.compaction import compact
from lineage.ledger import Naming, Observation, record
from lineage.outline import read_outline
from lineage.revision import SETTLED, read_mark
from lineage.topology import read_topology

ROOT = Path(__file__).resolve().parents[2]
HOUR = timedelta(hours=1)
# long settled: answers as of then are kept
THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cluster(db: None) -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers="x:1")


def reads(topic: str, group: str, seen: datetime) -> Observation:
    return Observation("topic", topic, "group", group, "offset", seen)


def writes(number: int, topic: str, seen: datetime) -> Observation:
    return Observation("producer_id", str(number), "topic", topic, "producer", seen)


def told(as_of: datetime) -> list[tuple[str, str, datetime]]:
    return [(it.source.key, it.target.key, it.last_seen) for it in actions.list_edges(as_of=as_of)]


def test_an_answer_is_kept_until_what_it_tells_changes(cluster: Cluster) -> None:
    record(cluster, [reads("a", "g", THEN)], THEN)
    first = read_outline(THEN + HOUR)
    assert read_outline(THEN + HOUR) is first
    # a sample of now, of the same edge, tells nothing of then
    now = timezone.now()
    record(cluster, [reads("a", "g", now)], now)
    assert read_outline(THEN + HOUR) is first
    # one that came late does: the interval goes on, over the instant asked
    record(cluster, [reads("a", "g", THEN + timedelta(minutes=5))], now)
    assert told(THEN + HOUR) == [("topic:a", "group:g", THEN + timedelta(minutes=5))]


def test_of_recent_instants_nothing_is_kept(cluster: Cluster) -> None:
    recent = timezone.now() - SETTLED + HOUR
    record(cluster, [reads("a", "g", recent)], recent)
    assert read_outline(recent + HOUR) is not read_outline(recent + HOUR)


def test_an_edge_that_turns_out_to_be_older_is_known_from_then_on(cluster: Cluster) -> None:
    record(cluster, [reads("a", "g", THEN + 9 * HOUR)], THEN)
    assert told(THEN + HOUR) == []
    record(cluster, [reads("a", "g", THEN)], THEN)
    assert told(THEN + HOUR) == [("topic:a", "group:g", THEN)]


def test_a_name_that_is_learnt_names_the_past(cluster: Cluster) -> None:
    record(cluster, [writes(7, "a", THEN)], THEN)
    assert [it[0] for it in told(THEN + HOUR)] == ["producer_id:7"]
    record(cluster, [], THEN, names=[Naming(7, "transactional_id", "tx", "transaction")])
    assert [it[0] for it in told(THEN + HOUR)] == ["transactional_id:tx"]
    Service.objects.create(name="payments", recognised_by={"transactional_ids": ["t*"]})
    assert [it[0] for it in told(THEN + HOUR)] == ["service:payments"]


def test_compaction_is_noticed(cluster: Cluster) -> None:
    for number in (1, 2):
        record(cluster, [writes(number, "a", THEN + number * HOUR)], THEN)
    before = read_mark()
    assert len(read_topology().edges) == 2
    compact(THEN + timedelta(days=99))
    assert read_mark() != before
    assert len(read_topology().edges) == 1


def test_what_was_rolled_back_is_forgotten(cluster: Cluster) -> None:
    record(cluster, [reads("a", "g", THEN)], THEN)
    with transaction.atomic():
        record(cluster, [reads("gone", "g", THEN)], THEN)
        assert len(told(THEN + HOUR)) == 2
        transaction.set_rollback(True)
    # rows with the same ids
    record(cluster, [reads("b", "g", THEN)], THEN)
    assert [it[0] for it in told(THEN + HOUR)] == ["topic:a", "topic:b"]


@pytest.mark.django_db(transaction=True)
def test_what_grew_is_added_and_what_was_taken_away_is_not_kept() -> None:
    cluster = Cluster.objects.create(name="c", bootstrap_servers="x:1")
    record(cluster, [reads("a", "g", THEN)], THEN)
    first = read_topology()
    record(
        cluster,
        [reads("b", "g", THEN), Observation("topic", "a", "group", "g", "member", THEN - HOUR)],
        THEN,
        names=[Naming(7, "group", "g", "commit")],
    )
    second = read_topology()
    # others may be reading the first
    assert (len(first.edges), len(first.at["group", "g"]), len(first.numbers)) == (1, 1, 0)
    assert (len(second.edges), len(second.at["group", "g"]), len(second.numbers)) == (2, 2, 1)
    assert [it[0] for it in told(THEN - timedelta(minutes=30))] == ["topic:a"]
    other = Cluster.objects.create(name="other", bootstrap_servers="x:1")
    record(other, [reads("c", "g", THEN)], THEN)
    cluster.delete()
    assert [it[0] for it in told(THEN + HOUR)] == ["topic:c"]


_SHARED = """
import django, subprocess, sys
from datetime import UTC, datetime, timedelta
django.setup()
from django.core.management import call_command
from catalog.models import Cluster, Service
from lineage import actions
from lineage.ledger import Naming, Observation, record
THEN = datetime(2026, 1, 1, tzinfo=UTC)
def told():
    scope = actions.Scope(as_of=THEN + timedelta(hours=1))
    listed = [(it.source.key, it.target.key) for it in actions.list_edges(as_of=scope.as_of)]
    if not listed:
        return []
    near = actions.neighbourhood("topic:a", hops=2, as_of=scope.as_of)[1]
    reached = actions.trace("topic:a", "downstream", scope=scope)
    assert {(it.source.key, it.target.key) for it in near.edges} <= set(listed)
    return [listed, len(near.edges), len(reached.nodes)]
def write(number):
    cluster, _ = Cluster.objects.get_or_create(name="c", defaults={"bootstrap_servers": "x:1"})
    seen = [
        Observation("topic", "a", "group", f"g{number}", "offset", THEN),
        Observation("producer_id", str(number), "topic", f"b{number}", "producer", THEN),
    ]
    record(cluster, seen, THEN, names=[Naming(number, "group", f"g{number}", "commit")])
if len(sys.argv) > 1:
    for line in sys.stdin:
        write(int(line))
        print("written", flush=True)
    sys.exit()
call_command("migrate", verbosity=0)
other = subprocess.Popen(
    [sys.executable, "-c", sys.orig_argv[2], "write"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
)
def elsewhere(number):
    other.stdin.write(f"{number}\\n")
    other.stdin.flush()
    assert other.stdout.readline() == "written\\n"
assert told() == []
for number in range(1, 4):
    elsewhere(number)
    listed, near, reached = told()
    assert (len(listed), near, reached) == (2 * number, 2 * number, 2 * number), listed
Service.objects.create(name="s", recognised_by={"groups": ["g*"]})
listed, near, reached = told()
assert ("service:s", "topic:b3") in listed and len(listed) == 4, listed
other.stdin.close()
assert other.wait() == 0
print("seen at once")
"""


def _seen_at_once(url: str, folder: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url,
        "VAR_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", _SHARED],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "seen at once\n", done.stderr


def test_a_write_of_another_process_is_seen_at_once(tmp_path: Path) -> None:
    _seen_at_once(f"sqlite:///{tmp_path / 'shared.sqlite3'}", tmp_path)


@pytest.mark.postgres
def test_a_write_of_another_process_is_seen_at_once_on_postgresql(
    postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE remembered")
    _seen_at_once(postgres_url.rpartition("/")[0] + "/remembered", tmp_path)
