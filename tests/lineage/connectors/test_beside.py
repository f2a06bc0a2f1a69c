"""Processes beside a build: real ones, over real Kafka and PostgreSQL, whatever becomes of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Semaphore
from typing import Any
from uuid import uuid4

import pytest

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import PartitionReader
from broker.produce import RecordWriter
from lineage.connectors.beside import pool as pools
from lineage.connectors.beside.pool import Pool
from lineage.connectors.engine_beside import ProcessGoneError, Result
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_regenerate import Built, Regeneration
from lineage.connectors.engine_share import Share
from lineage.connectors.engine_shares import Sharing
from lineage.connectors.errors import RunCancelledError
from lineage.connectors.framing import FramedDecoder
from lineage.connectors.keying import plain_parts
from lineage.connectors.sinks import open_sink
from tests.lineage.connectors.test_sharing import find, value

KEYS = 4_000
PARTS = partial(plain_parts, "table", "text", ())
PATIENCE = 30.0


class Word:
    """A task: says a word, and what the process has loaded; or fails with it."""

    def __init__(self, word: str, *, fails: bool = False) -> None:
        self._word = word
        self._fails = fails

    def works(self) -> "Word":
        return self

    def __call__(self, *args: Any) -> Iterator[Result]:
        if self._fails:
            raise ValueError(self._word)
        yield self._word, *args
        yield tuple(sorted(sys.modules))

    def close(self) -> None:
        """There is nothing to let go of."""


@pytest.fixture
def topic(kafka: Connection) -> str:
    """A topic of three partitions: keys, most of them twice, some of them deleted."""
    name = f"beside-{uuid4().hex}"
    create_topics(kafka, [NewTopic(name, 3, 1, {})])
    writer = RecordWriter(kafka)
    for at in range(2 * KEYS):
        raw = None if at % 97 == 0 else value(at, f"é{at}")
        writer.write(name, f"k{at % KEYS}".encode(), raw)
    writer.flush(30)
    return name


class Build:
    """A build of the topic, during which something happens in a phase."""

    def __init__(self, kafka: Connection, topic: str, target: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._target = target
        self.phase = ""
        self.happens: Callable[[], None] = list[None]().clear
        self.told: list[str] = []

    def run(self, pool: Pool | None) -> Built:
        name, decoder = f"copy_{uuid4().hex}", FramedDecoder(find)
        reads = partial(PartitionReader, self._kafka, f"test-{uuid4().hex}")
        sharing = None
        if pool is not None:
            sharing = Sharing(pool, Share(reads, PARTS, 1 << 30), decoder, worth_it=0)
        with closing(open_sink(self._target)) as sink, closing(reads()) as reader:
            return Regeneration(
                name,
                name,
                [self._topic],
                reader,
                Preparation(*PARTS(decoder), self._left_out),
                sink,
                self._note,
                sharing=sharing,
            ).run()

    def _left_out(self, *what: object) -> None:
        raise AssertionError(what)

    def _note(self, phase: str, done: int, total: int | None, note: str = "") -> None:
        del done, total
        if note:
            self.told.append(note)
        # a note at the beginning of reading comes before there is anybody beside
        if phase == self.phase and not (note and phase == "read" and len(self.told) < 3):
            self.phase = ""
            self.happens()

    def was_shared(self) -> bool:
        return any(note.endswith(" beside this one") for note in self.told)

    def was_read_again(self) -> bool:
        return any("to be read here again" in note for note in self.told)


def is_there(process: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


def ended(processes: list[int]) -> bool:
    """Wait until they have ended."""
    deadline = time.monotonic() + PATIENCE
    while any(map(is_there, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_there, processes))


@pytest.mark.postgres
def test_a_build_is_shared_and_leaves_nothing_behind(
    kafka: Connection, topic: str, postgres_target: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    alone = Build(kafka, topic, postgres_target).run(None)
    build, seen = Build(kafka, topic, postgres_target), list[int]()
    with Pool(2) as pool:
        build.phase, build.happens = "verify", lambda: seen.extend(pool.pids)
        shared = build.run(pool)
    assert shared.digest == alone.digest
    assert shared.ends == alone.ends
    assert build.was_shared()
    assert not build.was_read_again()
    assert len(seen) == 2
    assert ended(seen)
    assert not list(tmp_path.glob("insideout-*"))


@pytest.mark.postgres
@pytest.mark.parametrize("phase", ["read", "load", "verify"])
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSTOP"])
def test_processes_that_are_gone_or_stand_still_cost_time_only(
    kafka: Connection,
    topic: str,
    postgres_target: str,
    monkeypatch: Any,
    phase: str,
    name: str,
) -> None:
    alone = Build(kafka, topic, postgres_target).run(None)
    build, seen = Build(kafka, topic, postgres_target), list[int]()

    def hit() -> None:
        # not before: on a busy machine a process takes longer to begin
        monkeypatch.setattr(pools, "PATIENCE_SECONDS", 1.0)
        seen.extend(pool.pids)
        for process in pool.pids:
            os.kill(process, getattr(signal, name))

    with Pool(2) as pool:
        build.phase, build.happens = phase, hit
        found = build.run(pool)
    assert found.digest == alone.digest
    assert found.ends == alone.ends
    assert seen
    assert ended(seen)


@pytest.mark.postgres
def test_a_cancelled_build_ends_its_processes(
    kafka: Connection, topic: str, postgres_target: str
) -> None:
    build, seen = Build(kafka, topic, postgres_target), list[int]()

    def cancel() -> None:
        seen.extend(pool.pids)
        raise RunCancelledError("cancelled")

    build.phase, build.happens = "load", cancel
    with Pool(2) as pool, pytest.raises(RunCancelledError):
        build.run(pool)
    assert seen
    assert ended(seen)


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from lineage.connectors.beside.pool import Pool\n"
        "pool = Pool(1)\n"
        "pool.start(1)\n"
        "print(*pool.pids, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as parent:
        assert parent.stdout is not None
        beside = int(parent.stdout.readline())
        assert is_there(beside)
        parent.kill()
    assert ended([beside])
    assert not list(tmp_path.iterdir())


def heard(pool: Pool, task: Word, *args: Any) -> list[Result | None]:
    (process,) = pool.processes or pool.start(1)
    process.ask(task, *args)
    found: list[Result | None] = []
    while process.unfinished:
        pool.wait(0.2)
        found += process.hear()
    return found


def test_results_come_in_order_without_django() -> None:
    first, second = Word("one"), Word("two")
    with Pool(1) as pool:
        word, modules, end = heard(pool, first, b"\0" * 3_000_000, [1, None, "é"])
        assert word == ("one", b"\0" * 3_000_000, [1, None, "é"])
        assert end is None
        assert modules is not None
        assert "lineage.connectors.engine" in modules
        assert "django" not in modules
        assert heard(pool, second)[0] == ("two",)
        assert heard(pool, first)[0] == ("one",)


def test_a_failure_says_where_but_not_what_a_record_held() -> None:
    with Pool(1) as pool:
        with pytest.raises(ProcessGoneError, match=r"ValueError in test_beside\.py:\d+") as gone:
            heard(pool, Word("a customer's name", fails=True))
        assert "customer" not in str(gone.value)
        assert not pool.processes


def test_builds_of_one_worker_share_the_places() -> None:
    places = Semaphore(2)
    with Pool(2, places) as one, Pool(2, places) as other:
        assert len(one.start(1)) == 1
        assert len(other.start(2)) == 1
        assert not one.start(1)
        other.close()
        assert len(one.start(1)) == 1
    assert places.acquire(blocking=False)
    assert places.acquire(blocking=False)
