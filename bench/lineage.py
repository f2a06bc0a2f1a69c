"""A year of lineage: what it weighs, what it grows by, how long questions as of an instant take.

    make bench
    python -m bench.lineage                    both databases
    python -m bench.lineage sqlite             one of them

The estate is made up: 10,000 topics in 40 contexts; 2,000 groups that read five topics each; 3,000
writers that write some three topics each, one in ten of them without any name, a new producer id
each day. Three kinds of evidence an edge. Of what moves, 60 % does so in office hours, twice a
day, 30 % always, 10 % each night; members are there always, but for a deployment a week. A year of
it lies in the ledger as compaction leaves it, the last `LEDGER_EXACT_DAYS` and one day more exact:
that day is then compacted, and the time is taken. Questions are asked of now, of yesterday, of a
year ago and of instants at random; each has an aim for its 95th percentile by the clock. The exit
code is 1 when one was missed, and the end says which: on a machine that others use as well, the
columns of this process's own computing say what it would be alone.
The databases are this machine's, their files in its cache after the first questions.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import django

from config.postgres import EmbeddedPostgres
from lineage.errors import NodeMissingError

TOPICS, GROUPS, WRITERS, CONTEXTS = 10_000, 2_000, 3_000, 40
TOPICS_A_GROUP, UNNAMED = 5, 300
DAYS, EXACT = 365, 14
ASKED, FEW_ASKED = 20, 4
_A_BATCH = 20_000
Interval = tuple[datetime, datetime]


class Estate:
    """The year, as rows; the same for each database."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.begin = now - timedelta(days=DAYS)
        self._random = Random(1)
        self.edges: list[tuple[str, str, str, str]] = []
        self.proofs: list[tuple[int, str, list[Interval], str]] = []
        self.names: list[tuple[int, str, str, datetime, datetime]] = []

    def make(self) -> None:
        """Make everything."""
        for group in range(GROUPS):
            for number in range(TOPICS_A_GROUP):
                topic = f"topic-{(group * TOPICS_A_GROUP + number) % TOPICS:05d}"
                habit = self._habit()
                edge = self._edge("topic", topic, "group", f"service-{group % 1500:04d}.g{group}")
                detail = f'{{"client_ids": ["client-{group}"], "members": 3}}'
                self.proofs.append((edge, "member", self._presence(), detail))
                self.proofs.append((edge, "offset", self._movement(habit), '{"committed": 12345}'))
                self.proofs.append((edge, "commit", self._movement(habit), "{}"))
        for writer in range(WRITERS):
            topics = [
                f"topic-{(writer * 3 + n) % TOPICS:05d}" for n in range(3 + (writer % 3 == 0))
            ]
            if writer < UNNAMED:
                self._unnamed(writer, topics)
            else:
                self._named(writer, topics)

    def _named(self, writer: int, topics: list[str]) -> None:
        kind = "source" if writer % 3 else "transactional_id"
        name = f"service-{writer % 1500:04d}.{'s' if writer % 3 else 'x'}{writer}"
        habit = self._habit()
        for topic in topics:
            edge = self._edge(kind, name, "topic", topic)
            for proof in ("producer", "batch", "header" if kind == "source" else "transaction"):
                self.proofs.append((edge, proof, self._movement(habit), '{"producer_id": 4711}'))
        for day in range(EXACT + 1 if kind == "source" else 1):
            number = 10_000_000 + writer * 100 + day
            at = self.now - timedelta(days=day)
            self.names.append((number, kind, name, at - timedelta(days=1), at))

    def _unnamed(self, writer: int, topics: list[str]) -> None:
        """One id for the compacted past, then one a day."""
        horizon = self.now - timedelta(days=EXACT + 1)
        lives = [(self.begin, horizon - timedelta(hours=1))]
        lives += [
            (horizon + timedelta(days=day, hours=1), horizon + timedelta(days=day, hours=23))
            for day in range(EXACT + 1)
        ]
        for number, life in enumerate(lives):
            for topic in topics:
                producer = str(20_000_000 + writer * 1000 + number)
                edge = self._edge("producer_id", producer, "topic", topic)
                for kind in ("producer", "batch"):
                    self.proofs.append((edge, kind, [life], "{}"))

    def _edge(self, *key: str) -> int:
        self.edges.append((key[0], key[1], key[2], key[3]))
        return len(self.edges)

    def _habit(self) -> str:
        return self._random.choices(("office", "always", "nightly"), (6, 3, 1))[0]

    def _presence(self) -> list[Interval]:
        horizon = self.now - timedelta(days=EXACT + 1)
        deployed = [horizon, horizon + timedelta(days=7), horizon + timedelta(days=14)]
        ends = [*(it - timedelta(minutes=3) for it in deployed[1:]), self.now]
        return [(self.begin, ends[0]), *zip(deployed[1:], ends[1:], strict=True)]

    def _movement(self, habit: str) -> list[Interval]:
        if habit == "always":
            return [(self.begin, self.now)]
        horizon = self.now - timedelta(days=EXACT + 1)
        shift = timedelta(minutes=self._random.randrange(120))
        found: list[Interval] = []
        if habit == "nightly":
            found.append((self.begin + shift, horizon - timedelta(hours=20) + shift))
        else:
            weeks = (DAYS - EXACT - 1) // 7
            starts = [self.begin + timedelta(days=7 * week) + shift for week in range(weeks)]
            found += [(it, it + timedelta(days=4, hours=12)) for it in starts]
        for day in range(EXACT + 1):
            midnight = horizon + timedelta(days=day) + shift
            if habit == "nightly":
                found.append((midnight, midnight + timedelta(minutes=10)))
            elif day % 7 < 5:
                found.append((midnight + timedelta(hours=6), midnight + timedelta(hours=10)))
                found.append((midnight + timedelta(hours=11), midnight + timedelta(hours=16)))
        return found


def _fill(estate: Estate) -> None:
    from django.db import connection, transaction

    from catalog.models import BoundedContext, Cluster, Service, Topic

    cluster = Cluster.objects.create(name="bench", bootstrap_servers="127.0.0.1:1")
    contexts = [BoundedContext(name=f"context-{n:02d}") for n in range(CONTEXTS)]
    BoundedContext.objects.bulk_create(contexts)
    Service.objects.bulk_create(
        Service(
            name=f"service-{n:04d}",
            context=contexts[n % CONTEXTS],
            recognised_by={
                key: [f"service-{n:04d}.*"] for key in ("groups", "transactional_ids", "sources")
            },
        )
        for n in range(1500)
    )
    Topic.objects.bulk_create(
        Topic(cluster=cluster, name=f"topic-{n:05d}", context=contexts[n % CONTEXTS])
        for n in range(TOPICS)
    )
    adapt = connection.ops.adapt_datetimefield_value

    def evidence() -> Iterator[tuple[Any, ...]]:
        for edge, kind, intervals, detail in estate.proofs:
            for first, last in intervals:
                yield edge, kind, adapt(first), adapt(last), 100, detail

    with transaction.atomic():
        _insert(
            "edge (cluster_id, source_kind, source_name, target_kind, target_name)",
            ((cluster.pk, *edge) for edge in estate.edges),
        )
        _insert(
            "proof (edge_id, kind, first_seen)",
            ((edge, kind, adapt(spans[0][0])) for edge, kind, spans, _ in estate.proofs),
        )
        _insert("evidence (edge_id, kind, first_seen, last_seen, observations, detail)", evidence())
        _insert(
            "producername (cluster_id, producer_id, node_kind, node_name, evidence, first_seen,"
            " last_seen)",
            (
                (cluster.pk, number, kind, name, "header", adapt(first), adapt(last))
                for number, kind, name, first, last in estate.names
            ),
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _insert(table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    from django.db import connection

    places = ", ".join(["%s"] * (table.count(",") + 1))
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            statement = f"INSERT INTO lineage_{table} VALUES ({places})"  # noqa: S608
            for batch in iter(lambda: list(islice(rows, _A_BATCH)), []):
                cursor.executemany(statement, batch)
            return
        with cursor.copy(f"COPY lineage_{table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _weigh() -> tuple[dict[str, int], int]:
    """Return rows by table, and the bytes of all the ledger's tables and indexes."""
    from django.db import connection

    tables = [f"lineage_{it}" for it in ("edge", "proof", "evidence", "producername")]
    with connection.cursor() as cursor:
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608
            rows[table] = cursor.fetchone()[0]
        if connection.vendor == "postgresql":
            places = " + ".join(f"pg_total_relation_size('{table}')" for table in tables)
            cursor.execute(f"SELECT {places}")
        else:
            cursor.execute("SELECT (SELECT page_count FROM pragma_page_count) * 4096")
        return rows, cursor.fetchone()[0]


AIM_MS, WHOLE_AIM_MS = 200.0, 2000.0
"""The aims for questions about one thing (or one page), and for answers of the whole estate."""


@dataclass(frozen=True)
class Asked:
    """A question: what is asked at an instant, how often, and within what it is to be answered."""

    label: str
    ask: Callable[[datetime | None], Any]
    times: int = ASKED
    aim: float = AIM_MS


def _time(asked: Asked, when: str, instants: list[datetime | None]) -> str | None:
    """Print the percentiles of one question; return it when its aim was missed."""
    spans, computed = [], []
    for instant in instants[: asked.times]:
        begun, cpu = time.perf_counter(), time.process_time()
        with suppress(NodeMissingError):
            # nothing of that name had been seen by then
            asked.ask(instant)
        spans.append((time.perf_counter() - begun) * 1000)
        computed.append((time.process_time() - cpu) * 1000)
    missed = _p95(spans) > asked.aim
    shown = f"{statistics.median(spans):>9.1f}{_p95(spans):>9.1f}"
    shown += f"{statistics.median(computed):>9.1f}{_p95(computed):>9.1f}"
    label = f"{asked.label}, {when}"
    print(f"  {label:<54}{shown}{'  MISSED' if missed else ''}", flush=True)
    return f"{label}: {_p95(spans):.0f} ms, not {asked.aim:.0f}" if missed else None


def _p95(spans: list[float]) -> float:
    return sorted(spans)[min(len(spans) - 1, int(len(spans) * 0.95))]


def _questions(estate: Estate, random: Random) -> list[Asked]:
    from lineage import actions
    from lineage.derivations.actions import list_derivations
    from lineage.history import span_of

    def topic() -> str:
        return f"topic-{random.randrange(TOPICS):05d}"

    def service() -> str:
        return f"service-{random.randrange(300, 1500):04d}"

    def scope(at: datetime | None) -> actions.Scope:
        return actions.Scope(as_of=at)

    def around(key: str, hops: int, at: datetime | None) -> Any:
        return actions.neighbourhood(key, hops=hops, as_of=at)

    def drawn(at: datetime | None) -> Any:
        span_of([topic() for _ in range(20)], at)
        return actions.surroundings(f"topic:{topic()}", hops=2, as_of=at)

    def trace(way: Any, depth: int, at: datetime | None) -> Any:
        return actions.trace(f"topic:{topic()}", way, depth=depth, scope=scope(at))

    one = [
        Asked(
            "one topic's writers and readers",
            lambda at: actions.resolve(as_of=at, topics=[topic()], cluster="bench"),
        ),
        *(
            Asked(f"a topic's {hops} hops", partial(lambda n, at: around(topic(), n, at), hops))
            for hops in (1, 2, 3)
        ),
        *(
            Asked(
                f"a service's {hops} hops",
                partial(lambda n, at: around(f"service:{service()}", n, at), hops),
            )
            for hops in (1, 2, 3)
        ),
        *(
            Asked(f"{way} of a topic to depth {depth}", partial(trace, way, depth))
            for way in ("upstream", "downstream")
            for depth in (1, 2, 3)
        ),
        Asked(
            "the way from a service to a topic",
            lambda at: actions.tell_story(f"service:{service()}", f"topic:{topic()}", scope(at)),
        ),
        Asked("a service's footprint", lambda at: actions.take_footprint(service(), scope(at))),
        Asked("the page around a topic, with its span of time", drawn),
        Asked("the first page of all edges", lambda at: actions.find_edges(as_of=at)[:100]),
    ]

    def differ(at: datetime | None) -> Any:
        end = at or estate.now
        return actions.compare_instants(end - timedelta(days=7), scope=scope(at))

    questions: list[tuple[str, Callable[[datetime | None], Any]]] = [
        ("all edges", lambda at: actions.list_edges(as_of=at)),
        ("bounded contexts only", lambda at: actions.list_couplings(scope(at))),
        ("where data comes back", lambda at: actions.list_cycles(scope(at))),
        ("orphans", lambda at: actions.list_orphans(scope=scope(at))),
        ("declared against observed", lambda at: actions.list_declared(as_of=at)),
        ("what a week changed", differ),
        ("a view's derivations", lambda at: list_derivations(view=topic(), as_of=at)),
    ]
    return one + [Asked(label, ask, FEW_ASKED, WHOLE_AIM_MS) for label, ask in questions]


def _ask(estate: Estate) -> list[str]:
    """Ask everything at instants of four sorts; return which aims were missed."""
    from lineage.warming import warm

    random = Random(2)
    year, day = timedelta(days=DAYS - 1), timedelta(days=1)

    def about(span: timedelta) -> list[datetime | None]:
        """Instants near one, each of its own: none is answered from memory."""
        return [estate.now - span + timedelta(seconds=random.random() * 7200) for _ in range(ASKED)]

    instants: dict[str, list[datetime | None]] = {
        "now": [None] * ASKED,
        "yesterday": about(day),
        "a year ago": about(year),
        "at any time": [
            estate.begin + timedelta(seconds=random.randrange(DAYS * 86_400)) for _ in range(ASKED)
        ],
    }
    print(
        "  milliseconds by the clock, and of this process's own computing (others may be at work)"
    )
    print(f"  {'question':<54}{'p50':>9}{'p95':>9}{'cpu p50':>9}{'cpu p95':>9}")
    begun = time.process_time()
    questions = _questions(estate, random)
    warm()
    print(
        f"  what a process reads at its beginning: {time.process_time() - begun:.1f} s of computing"
    )
    missed = [
        _time(asked, when, chosen) for asked in questions for when, chosen in instants.items()
    ]
    return [it for it in missed if it]


def _measure(name: str) -> list[str]:
    """Measure the database that the settings name; return which aims were missed."""
    from django.core.management import call_command
    from django.utils import timezone

    from catalog.models import Cluster
    from lineage.compaction import compact
    from lineage.models import Compaction

    call_command("migrate", verbosity=0)
    estate = Estate(timezone.now())
    estate.make()
    begun = time.perf_counter()
    _fill(estate)
    rows, size = _weigh()
    told = ", ".join(
        f"{count:,} of {table.removeprefix('lineage_')}" for table, count in rows.items()
    )
    print(f"{name}: {told}; {size / 1e6:,.0f} MB; made in {time.perf_counter() - begun:.0f} s")
    cluster = Cluster.objects.get(name="bench")
    Compaction.objects.create(cluster=cluster, until=estate.now - timedelta(days=EXACT + 1))
    begun, cpu = time.perf_counter(), time.process_time()
    done = compact(estate.now)
    print(
        f"  compaction of a day: {done}; {time.perf_counter() - begun:.1f} s,"
        f" {time.process_time() - cpu:.1f} s of this process's computing"
    )
    day = sum(
        1
        for _, _, spans, _ in estate.proofs
        for first, _ in spans
        if first >= estate.now - timedelta(days=7)
    )
    weight = size / sum(rows.values())
    left = sum(len(spans) for *_, spans, _ in estate.proofs if len(spans) > 40) / 40 / 7
    print(
        f"  growth a day: {day / 7:,.0f} intervals ({day / 7 * weight / 1e6:.1f} MB) kept for"
        f" {EXACT} days, {left:,.0f} ({left * weight / 1e6:.2f} MB) for good"
    )
    return _ask(estate)


def main() -> None:
    """Measure each database in a process of its own."""
    if len(sys.argv) > 1 and "DATABASE_URL" in os.environ and "BENCH_LINEAGE" in os.environ:
        django.setup()
        missed = _measure(sys.argv[1])
        sys.exit("aims missed:\n  " + "\n  ".join(missed) if missed else 0)
    with tempfile.TemporaryDirectory(prefix="insideout-bench-") as name:
        wanted = sys.argv[1:] or ["sqlite", "postgresql"]
        failed = [it for it in wanted if not _measure_apart(it, Path(name))]
    if failed:
        sys.exit(f"aims missed on {', '.join(failed)}")


def _measure_apart(database: str, folder: Path) -> bool:
    """Measure in a process of its own; whether all aims were met."""
    server = EmbeddedPostgres(folder / "postgres") if database == "postgresql" else None
    if server:
        server.start()
    try:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": server.ensure_database("bench")
            if server
            else f"sqlite:///{folder / 'lineage.sqlite3'}",
            "VAR_DIR": str(folder),
            "BENCH_LINEAGE": "1",
        }
        module = [sys.executable, "-m", "bench.lineage", database]
        return subprocess.run(module, env=environment, check=False).returncode == 0
    finally:
        if server:
            server.stop()


if __name__ == "__main__":
    main()
