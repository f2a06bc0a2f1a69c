"""Builds that share their log with other processes make what a build alone makes. Without Kafka."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from functools import partial
from io import BytesIO
from itertools import chain, count, islice
from math import isnan, nan
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.records import Partition, Record
from lineage.connectors.beside.frames import RESULT, Incoming, asked_frame, read_frames, result_in
from lineage.connectors.beside.frames import task_frame as framed_task
from lineage.connectors.beside.process import answers
from lineage.connectors.definition import check
from lineage.connectors.digests import digest
from lineage.connectors.engine_beside import (
    ProcessGoneError,
    Result,
    Task,
    UnfinishableError,
    Works,
)
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_marks import DELETED_ELSEWHERE, sampled
from lineage.connectors.engine_parts import Decoder, Key, Keying, Writer
from lineage.connectors.engine_regenerate import Regeneration
from lineage.connectors.engine_share import Share
from lineage.connectors.engine_shares import Sharing
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.framing import FramedDecoder
from lineage.connectors.keying import plain_parts
from lineage.connectors.shaped_parts import parts_of
from lineage.connectors.shaping import Shaper
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from lineage.connectors.writers import writer_from
from registry.wire import VALUE_HEADER
from tests.lineage.connectors.test_fold import TOPIC, Log
from tests.lineage.connectors.test_packed_regeneration import SCHEMAS
from tests.lineage.connectors.test_packed_regeneration import value as numbered_value

TRACED = (("traceparent", b"00-1"),)
GIVE_UP_AFTER = 10_000
NUMBERS = count()


class Inline:
    """A process that is none: its answers are those of the real one, a few frames at a time.

    It is gone after so many frames.
    """

    def __init__(self, lives_for: int) -> None:
        self.unfinished = 0
        self._left = lives_for
        self._works: list[Works] = []
        self._known: dict[Task, int] = {}
        self._answers: Iterator[bytes] = iter(())

    def ask(self, task: Task, /, *args: Any) -> None:
        sent = b""
        if task not in self._known:
            self._known[task] = len(self._known)
            sent = framed_task(task)
        sent += asked_frame(self._known[task], args)
        self.unfinished += 1
        for kind, body in read_frames(BytesIO(sent)):
            self._answers = chain(self._answers, answers(self._works, kind, body))

    def close(self) -> None:
        for works in self._works:
            works.close()

    def hear(self) -> list[Result | None]:
        heard: list[Result | None] = []
        try:
            frames = list(islice(self._answers, 3))
        except UnfinishableError as error:
            raise ProcessGoneError(str(error)) from error
        for frame in frames:
            self._left -= 1
            if self._left < 0:
                raise ProcessGoneError("gone")
            for kind, body in Incoming().add(frame):
                self.unfinished -= kind != RESULT
                heard.append(result_in(body) if kind == RESULT else None)
        return heard


class Inlines:
    """So many of them."""

    def __init__(self, count: int, lives_for: int) -> None:
        self.most = count
        self.processes: Sequence[Inline] = []
        self._lives_for = lives_for

    def start(self, count: int) -> Sequence[Inline]:
        self.processes = [Inline(self._lives_for) for _ in range(count)]
        return self.processes

    def wait(self, _seconds: float) -> None:
        """Nothing is waited for: each hearing moves on."""

    def close(self) -> None:
        for process in self.processes:
            process.close()
        self.processes = []


class ManyLog(Log):
    """A log of three partitions, whose records may have headers."""

    def __init__(self) -> None:
        super().__init__()
        self.records = {Partition(TOPIC, number): [] for number in range(3)}

    def put(self, key: bytes | None, value: bytes | None, *, traced: bool = False) -> None:
        self.put_into((key or b"\x00")[0] % 3, key, value, traced=traced)

    def put_into(
        self, number: int, key: bytes | None, value: bytes | None, *, traced: bool = False
    ) -> None:
        records = self.records[Partition(TOPIC, number)]
        headers = TRACED if traced else None
        records.append(Record(TOPIC, number, len(records), len(records), key, value, headers))


def value(
    number: int, text: str | None = "é", double: float = 0.5, *, wider: bool = False
) -> bytes:
    """Framed with schema 1 or 2."""
    raw = numbered_value(number, text, double, wider=wider)
    return b"\0\0\0\0" + bytes([raw[0] + 1]) + raw[1:]


def find(frame: bytes) -> Writer:
    if frame not in {b"\0\0\0\0\1", b"\0\0\0\0\2"}:
        raise PoisonRecordError("no such schema")
    return writer_from("AVRO", SCHEMAS[frame[-1] - 1], ())


class Outcome:
    """What a build told, left out and made."""

    def __init__(
        self,
        log: Log,
        target: str,
        mode: Any,
        beside: Inlines | None,
        until: Any = None,
        *,
        parts: Callable[[FramedDecoder], tuple[Decoder, Keying]] | None = None,
        finds: Callable[[bytes], Writer] = find,
        memory: int = 1 << 20,
    ) -> None:
        self.told: list[str] = []
        self.quarantine: set[tuple[bytes, str]] = set()
        decoder = FramedDecoder(finds)
        keys = parts is not None
        parts = parts or partial(plain_parts, mode, "text", ())
        sharing = None
        if beside is not None:
            share = Share(partial(deepcopy, log), parts, memory, keys=keys)
            sharing = Sharing(beside, share, decoder, worth_it=0)
        name = f"copy{next(NUMBERS)}"
        with closing(open_sink(target)) as sink, closing(beside or Inlines(0, 0)):
            build = Regeneration(
                name,
                name,
                [TOPIC],
                log,
                Preparation(*parts(decoder), self._left_out),
                sink,
                self._note,
                memory=memory,
                sharing=sharing,
            )
            if until is not None:
                self.built = build.run_as_of(until, f"{name}_then")
                return
            self.built = build.run()
            self.rows = self._read(sink, name)

    def _read(self, sink: Sink, name: str) -> dict[Key, dict[str, Any]]:
        live = sink.live(name)
        assert live is not None
        layout = live.layout
        assert layout is not None
        rows = list(sink.read(name, layout))
        assert digest(layout, rows) == self.built.digest
        return {
            # what comes of NaN is compared apart: it equals nothing
            tuple(row[: layout.keys]): {
                column: "NaN" if isinstance(each, float) and isnan(each) else each
                for column, each in zip(layout.names, row, strict=True)
            }
            for row in rows
        }

    def _left_out(self, record: Record, why: str) -> None:
        self.quarantine.add((record.key or b"", why))

    def _note(self, phase: str, done: int, total: int | None, note: str = "") -> None:
        del phase, done, total
        if note:
            self.told.append(note)

    def shared(self) -> bool:
        """Whether others read a part of it, to the end."""
        return any(" beside this one" in note for note in self.told) and not any(
            "to be read here again" in note for note in self.told
        )


KEYS = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f", b"\xff", b"\\xff", b"\xc3\xa9"])
PLAIN = st.builds(
    value,
    st.integers(-9, 9),
    st.sampled_from(["é", "", "a\nb", None]),
    st.sampled_from([0.5, -1e300]),
    wider=st.booleans(),
)
TROUBLE = st.sampled_from([
    b"what?",
    b"",
    b"\0\0\0\0\x09no such schema",
    value(1)[:-3],
    value(2, "x", nan),
    value(3, "a\0b"),
    value(4, "ab").replace(b"ab", b"\xff\xfe"),
])
ENTRIES = st.lists(
    st.tuples(KEYS, st.one_of(PLAIN, PLAIN, PLAIN, st.none(), TROUBLE), st.booleans()), max_size=40
)


@pytest.mark.postgres
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    ENTRIES,
    st.sampled_from(["table", "table", "events", "history"]),
    st.sampled_from([1, 2]),
    st.one_of(st.just(GIVE_UP_AFTER), st.integers(0, 12)),
)
def test_a_build_that_shares_is_equal_to_one_that_does_not(
    postgres_target: str,
    entries: Sequence[tuple[bytes, bytes | None, bool]],
    mode: str,
    others: int,
    lives_for: int,
) -> None:
    log = ManyLog()
    # at least one row of each partition, so that there is something to share
    for key in (b"x", b"y", b"z"):
        log.put(key, value(0))
    for key, raw, traced in entries:
        log.put(key, raw, traced=traced)
    alone = Outcome(deepcopy(log), postgres_target, mode, None)
    shared = Outcome(deepcopy(log), postgres_target, mode, Inlines(others, lives_for))
    assert shared.rows == alone.rows
    assert shared.built.digest == alone.built.digest
    assert shared.built.ends == alone.built.ends
    assert shared.quarantine == alone.quarantine


@pytest.mark.postgres
@pytest.mark.parametrize("mode", ["table", "events", "history"])
def test_plain_logs_stay_shared(postgres_target: str, mode: str) -> None:
    log = ManyLog()
    for at in range(5000):
        raw = value(at, f"é{at}", at / 7, wider=at % 3 == 0) if at % 50 else None
        if raw is None and mode == "events":
            continue
        log.put(f"{chr(97 + at % 26)}{at % 900}".encode(), raw, traced=at % 11 == 0)
    log.put(b"a", value(1, "", nan))
    alone = Outcome(deepcopy(log), postgres_target, mode, None)
    shared = Outcome(deepcopy(log), postgres_target, mode, Inlines(2, GIVE_UP_AFTER))
    assert shared.shared()
    assert shared.rows == alone.rows
    assert shared.built == alone.built


@pytest.mark.postgres
def test_schemas_that_headers_name_are_known_beside_too(postgres_target: str) -> None:
    log, frame = ManyLog(), b"\x01" + bytes(range(16))
    for at in range(300):
        key = f"{chr(97 + at % 26)}{at}".encode()
        log.put(key, value(at)[5:])
        place = log.records[Partition(TOPIC, key[0] % 3)]
        place[-1] = place[-1]._replace(headers=((VALUE_HEADER, frame), *TRACED))
    found = Outcome(
        log,
        postgres_target,
        "table",
        Inlines(2, GIVE_UP_AFTER),
        finds=lambda asked: find(b"\0\0\0\0\1" if asked == frame else asked),
    )
    assert found.shared()
    assert not found.quarantine
    assert sorted(row["n"] for row in found.rows.values()) == list(range(300))


@pytest.mark.postgres
def test_what_cannot_be_decoded_is_left_out_without_reading_again(postgres_target: str) -> None:
    log = ManyLog()
    for at in range(300):
        log.put(f"{chr(97 + at % 26)}{at}".encode(), value(at))
    for key in (b"a0", b"b1", b"c2"):
        log.put(key, b"what?")
    log.put_into(0, None, value(1))
    log.put_into(1, None, value(1))
    log.put_into(2, None, value(1))
    found = Outcome(log, postgres_target, "table", Inlines(2, GIVE_UP_AFTER))
    assert found.shared()
    assert {key for key, _ in found.quarantine} == {b"a0", b"b1", b"c2", b""}
    # the last that could be read counts
    assert found.rows["a0",]["n"] == 0
    assert len(found.rows) == 300


@pytest.mark.postgres
@pytest.mark.parametrize("others", [1, 2])
def test_a_row_here_and_a_deletion_there_are_read_by_one(postgres_target: str, others: int) -> None:
    for deleted in range(3):
        log = ManyLog()
        for at in range(300):
            log.put(f"{chr(97 + at % 26)}{at}".encode(), value(at))
        log.put_into((deleted + 1) % 3, b"moved", value(1))
        log.put_into(deleted, b"moved", None)
        found = Outcome(log, postgres_target, "table", Inlines(others, GIVE_UP_AFTER))
        # with one process beside, two of the partitions may be in one share
        assert found.shared() or any(DELETED_ELSEWHERE in note for note in found.told)
        assert others == 1 or not found.shared()


COLUMNS = {
    "columns": {"number": {"from": "n"}, "t": {"mask": "hash"}, "twice": {"expression": "n * 2"}}
}


@pytest.mark.postgres
@pytest.mark.parametrize("names", [["number"], ["number", "t", "twice"]])
def test_declared_columns_are_made_beside_too(postgres_target: str, names: list[str]) -> None:
    definition = check({
        "name": "shaped",
        "topics": [TOPIC],
        "target": "postgresql://db/x",
        "table": "shaped",
        "columns": {name: COLUMNS["columns"][name] for name in names},
    })
    parts = parts_of(definition, Shaper(definition, b"secret"))
    log = ManyLog()
    for at in range(900):
        log.put(f"{chr(97 + at % 26)}{at}".encode(), value(at, f"é{at}") if at % 50 else None)
    outcomes = [
        Outcome(deepcopy(log), postgres_target, "table", beside, parts=parts)
        for beside in (None, Inlines(2, GIVE_UP_AFTER))
    ]
    assert outcomes[1].shared()
    assert outcomes[1].rows == outcomes[0].rows
    assert len(outcomes[1].rows) == 882
    assert {"number", *names} <= set(next(iter(outcomes[1].rows.values())))


@pytest.mark.postgres
@pytest.mark.parametrize("mode", ["table", "history"])
def test_shares_that_go_to_disk(postgres_target: str, mode: str) -> None:
    log = ManyLog()
    for at in range(3000):
        log.put(f"{chr(97 + at % 26)}{at % 700}".encode(), value(at) if at % 40 else None)
    alone = Outcome(deepcopy(log), postgres_target, mode, None)
    shared = Outcome(deepcopy(log), postgres_target, mode, Inlines(2, GIVE_UP_AFTER), memory=50_000)
    assert shared.shared()
    assert any("records kept" in note for note in shared.told)
    assert shared.rows == alone.rows
    assert shared.built == alone.built


class Stillborn(Inlines):
    """Processes that have ended before they are asked for anything."""

    def start(self, count: int) -> Sequence[Inline]:
        started = super().start(count)
        for process in started:
            process.ask = self._gone  # type: ignore[method-assign]
        return started

    @staticmethod
    def _gone(*_asked: Any) -> None:
        raise ProcessGoneError("gone")


@pytest.mark.postgres
def test_processes_that_end_before_they_are_asked(postgres_target: str) -> None:
    log = ManyLog()
    for at in range(60):
        log.put(f"{chr(97 + at % 26)}{at}".encode(), value(at))
    found = Outcome(log, postgres_target, "table", Stillborn(2, 0))
    assert len(found.rows) == 60
    assert any("to be read here again: gone" in note for note in found.told)


@given(st.lists(st.sampled_from([f"k{at}".encode() for at in range(500)]), max_size=200))
def test_the_same_keys_are_sampled_by_all(keys: list[bytes | None]) -> None:
    assert set(sampled(keys)) == set(sampled(reversed(keys)))
    assert set(sampled(keys)) == set(keys) & set(sampled(f"k{at}".encode() for at in range(500)))


LISTS = {
    "type": "record",
    "name": "L",
    "fields": [
        {"name": "of", "type": {"type": "array", "items": {"type": "array", "items": "int"}}}
    ],
}


@pytest.mark.postgres
def test_rows_that_go_by_values_are_all_made_here(postgres_target: str) -> None:
    log, schema = ManyLog(), parse_schema(LISTS)
    for at in range(60):
        out = BytesIO(b"\0\0\0\0\1")
        out.seek(5)
        schemaless_writer(out, schema, {"of": [[at], []]})
        log.put(f"{chr(97 + at % 26)}{at}".encode(), out.getvalue())
    found = Outcome(
        log,
        postgres_target,
        "table",
        Inlines(2, GIVE_UP_AFTER),
        finds=lambda _frame: writer_from("AVRO", json.dumps(LISTS), ()),
    )
    assert any("the rows go by values" in note for note in found.told)
    assert len(found.rows) == 60


@pytest.mark.postgres
def test_a_key_in_two_partitions_is_read_by_one(postgres_target: str) -> None:
    log = ManyLog()
    for at in range(200):
        log.put_into(0, f"k{at}".encode(), value(1))
        log.put_into(1, f"k{at}".encode(), value(2))
        log.put_into(2, f"other{at}".encode(), value(3))
    found = Outcome(log, postgres_target, "table", Inlines(2, GIVE_UP_AFTER))
    assert any("a key is in more than one partition" in note for note in found.told)
    assert len(found.rows) == 400


@pytest.mark.postgres
def test_a_single_key_in_two_partitions_is_found_by_the_database(postgres_target: str) -> None:
    log = ManyLog()
    for at in range(300):
        log.put(f"{chr(97 + at % 26)}{at}".encode(), value(at))
    log.put_into(0, b"both", value(1))
    log.put_into(1, b"both", value(2))
    found = Outcome(log, postgres_target, "table", Inlines(2, GIVE_UP_AFTER))
    assert len(found.rows) == 301
    assert found.rows["both",]["n"] in {1, 2}


@pytest.mark.postgres
def test_a_table_as_of_offsets_takes_nothing_behind_them(postgres_target: str) -> None:
    log = ManyLog()
    for at in range(600):
        log.put(f"{chr(97 + at % 26)}{at % 60}".encode(), value(at))
    until = {place: len(records) // 2 for place, records in log.records.items()}
    alone = Outcome(deepcopy(log), postgres_target, "table", None, until)
    shared = Outcome(deepcopy(log), postgres_target, "table", Inlines(2, GIVE_UP_AFTER), until)
    assert shared.shared()
    assert shared.built.digest == alone.built.digest
