"""Two samplers on one database, a reader meanwhile, and a sampler that dies in the middle."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults
ROOT = Path(__file__).resolve().parents[2]
_SETUP = """
import django, sys, time
from datetime import UTC, datetime, timedelta
django.setup()
from catalog.models import Cluster
from lineage import actions
from lineage.ledger import Naming, Observation, record
from lineage.models import Edge, Evidence, ProducerName, Proof
from lineage.standing import Standing
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
cluster = Cluster.objects.get(name="c")
def batch(turn, count=300):
    at = BEGIN + timedelta(seconds=30 * turn)
    return at, [
        Observation(*end, kind, at, {"turn": turn} if kind == "offset" else {})
        for n in range(count)
        for end in [("topic", f"t{n % 40}", "group", f"g{n}")]
        for kind in ("member", "offset")
    ]
"""
_SAMPLE = """
standing = Standing()
for turn in range(int(sys.argv[1])):
    at, seen = batch(turn)
    record(cluster, seen, at, names=[Naming(turn, "group", "g1", "commit")], standing=standing)
"""
_READ = """
seen = 0
while True:
    found = actions.list_edges(as_of=BEGIN + timedelta(days=1))
    # a batch is there whole, or not at all
    assert len(found) in (0, 300), len(found)
    assert all(len(edge.evidence) == 2 for edge in found)
    assert len({edge.last_seen for edge in found}) <= 1
    seen += 1
    if found and found[0].last_seen >= BEGIN + timedelta(seconds=30 * (int(sys.argv[1]) - 1)):
        break
"""
_CHECK = """
assert Edge.objects.count() == 300
assert Proof.objects.count() == 600
spans = set(Evidence.objects.values_list("first_seen", "last_seen"))
assert spans == {(BEGIN, BEGIN + timedelta(seconds=30 * (int(sys.argv[1]) - 1)))}, spans
assert Evidence.objects.count() == 600
"""
_ENDLESS = """
standing, turn = Standing(), 0
print("ready", flush=True)
while True:
    at, seen = batch(turn, 300 + turn)
    record(cluster, seen, at, names=[Naming(turn, "group", "g1", "commit")], standing=standing)
    turn += 1
"""
_WHOLE = """
turns = ProducerName.objects.count()
if turns:
    # the batch of the last name is there whole, and nothing of the next
    assert Edge.objects.count() == 299 + turns, (Edge.objects.count(), turns)
    assert Evidence.objects.count() == Proof.objects.count() == 2 * (299 + turns)
    last = BEGIN + timedelta(seconds=30 * (turns - 1))
    assert set(Evidence.objects.values_list("last_seen", flat=True)) == {last}
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'd.sqlite3'}"
    if request.param == "postgresql":
        import psycopg

        server = request.getfixturevalue("postgres_url")
        name = f"ledger_{os.getpid()}_{time.monotonic_ns()}"
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        head, _, query = server.partition("?")
        url = f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    made = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": url,
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=made, check=True)
    run("", made, prepare='Cluster.objects.create(name="c", bootstrap_servers="x:1")')
    return made


def run(code: str, environment: dict[str, str], *arguments: str, prepare: str = "") -> None:
    text = _SETUP.replace('cluster = Cluster.objects.get(name="c")', prepare) if prepare else _SETUP
    command = [sys.executable, "-c", text + code, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)


def begin(code: str, environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _SETUP + code, *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_samplers_and_a_reader(environment: dict[str, str]) -> None:
    processes = [begin(code, environment, "12") for code in (_SAMPLE, _SAMPLE, _READ)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    run(_CHECK, environment, "12")


def test_a_sampler_killed_in_the_middle_leaves_nothing_half_applied(
    environment: dict[str, str],
) -> None:
    process = begin(_ENDLESS, environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.83)
    process.kill()
    process.communicate()
    run(_WHOLE, environment)
