"""Audits and repairs against a model, over generated logs and damages, without Kafka."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.records import Partition, Record
from lineage.connectors.audits.comparing import Difference
from lineage.connectors.audits.engine import Auditor, Outcome
from lineage.connectors.audits.folding import LogFold
from lineage.connectors.audits.reading import LogReading
from lineage.connectors.audits.repairing import Repair
from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Place, place_of
from lineage.connectors.errors import CopyDivergedError, LogIncompleteError
from lineage.connectors.keying import EventKeying, TextKeying
from lineage.connectors.sinks.sqlite import SqliteSink
from tests.lineage.connectors.test_fold import (
    LOGS,
    TOPIC,
    JsonDecoder,
    Log,
    engine,
    model,
    table,
    value,
)

Entries = Sequence[tuple[bytes, bytes | None]]
DAMAGE = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "\\xff00", "stray", "stray2"]),
    st.one_of(st.none(), st.integers(100, 120)),
    max_size=5,
)


class Audited:
    """A copy, its log, and what audits them; `skip`: places in quarantine."""

    def __init__(
        self,
        log: Log,
        sink: SqliteSink,
        *,
        skip: frozenset[Place] = frozenset(),
        budget: int = 2**20,
        slice_rows: int = 1000,
        compacts: bool = False,
    ) -> None:
        self.poison: list[Any] = []
        preparation = Preparation(
            JsonDecoder(), TextKeying("record_key"), lambda *what: self.poison.append(what)
        )
        reading = LogReading(log)
        self.fold = LogFold(reading, preparation, lambda *_: None, skip=skip, budget=budget)
        self.auditor = Auditor(
            "c", sink, reading, self.fold, preparation, lambda *_: None,
            compacts=lambda _topic: compacts, compacted=lambda _topic: compacts,
            slice_rows=slice_rows,
        )  # fmt: skip
        self.sink = sink

    def audit(self) -> Outcome:
        return self.auditor.run()

    def repair(self, found: Outcome) -> int:
        assert found.moment.live is not None
        repair = Repair("c", self.sink, self.auditor, self.fold, lambda *_: None)
        return repair.run(found.moment.live, found.differences)


def filled(log: Log, entries: Entries) -> None:
    for entry in entries:
        log.append(*entry)


def layout_of(sink: SqliteSink) -> Layout:
    live = sink.live("c")
    assert live is not None
    assert live.layout is not None
    return live.layout


def damage(sink: SqliteSink, changes: dict[str, int | None]) -> dict[str, str]:
    """Edit the copy by hand; return what an audit must find, by key."""
    layout, held = layout_of(sink), table(sink)
    rows: list[Row] = []
    kinds = {}
    for key, number in changes.items():
        if number is None:
            if key in held:
                kinds[key] = "missing"
        else:
            rows.append([key, str(number), *[None] * (len(layout.columns) - 2)])
            kinds[key] = "changed" if key in held else "extra"
    sink.merge("copy", layout, rows, {(key,) for key, it in changes.items() if it is None})
    return kinds


def kinds(found: Sequence[Difference]) -> dict[str, str]:
    return {it.key[0]: it.kind for it in found}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    entries=LOGS,
    more=LOGS,
    changes=DAMAGE,
    budget=st.sampled_from([400, 900, 2**20]),
    slice_rows=st.sampled_from([1, 3, 1000]),
)
def test_every_damage_is_found_by_key_and_repaired(
    entries: list[tuple[bytes, bytes | None]],
    more: list[tuple[bytes, bytes | None]],
    changes: dict[str, int | None],
    budget: int,
    slice_rows: int,
) -> None:
    with TemporaryDirectory() as folder:
        sink = SqliteSink(f"sqlite:///{Path(folder) / 'c.db'}")
        log, poison = Log(), list[Any]()
        filled(log, [(b"z", value(1, 1)), *entries])
        live = engine(log, sink, poison)
        while live.step(0).records:
            pass
        other = Log()
        other.records = {place: list(records) for place, records in log.records.items()}
        skip = frozenset(place_of(record) for record, _ in poison)
        whole = model([(b"z", value(1, 1)), *entries])
        # more is in the log than the copy has read: it is no difference
        filled(other, more)
        it = Audited(other, sink, skip=skip, budget=budget, slice_rows=slice_rows)
        found = it.audit()
        assert (found.differing, found.copy) == (0, found.log)
        assert found.copy.rows == len(whole)
        expected = damage(sink, changes)
        it = Audited(other, sink, skip=skip, budget=budget, slice_rows=slice_rows)
        found = it.audit()
        assert kinds(found.differences) == expected
        assert it.repair(found) == len(expected)
        assert table(sink) == whole
        assert Audited(other, sink, skip=skip).audit().differing == 0
        # and the copy goes on from where it stood
        filled(log, more)
        while live.step(0).records:
            pass
        assert table(sink) == model([(b"z", value(1, 1)), *entries, *more])
        sink.close()


@pytest.fixture
def sink(tmp_path: Path) -> SqliteSink:
    return SqliteSink(f"sqlite:///{tmp_path / 'c.db'}")


def test_a_copy_that_moves_on_is_no_difference_and_no_newer_value_is_lost(
    sink: SqliteSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, writes = Log(), Log()
    filled(log, [(key, value(1, 1)) for key in (b"a", b"b", b"c", b"d")])
    live = engine(log, sink, [])
    live.step(0)
    writes.records = log.records  # read by the audit at a pace of its own
    damage(sink, {"a": 100, "b": 100, "c": None, "stray": 5})
    merge = sink.merge
    moves = iter([(b"a", value(1, 2)), (b"d", None), (b"c", value(2, 7)), (b"stray", value(1, 9))])

    def move(*arguments: Any) -> Any:
        for key, raw in moves:
            log.append(key, raw)
            monkeypatch.setattr(sink, "merge", merge)
            live.step(0)
            monkeypatch.setattr(sink, "merge", move_first)
            break

    def move_first(*arguments: Any) -> None:
        move()
        merge(*arguments)

    it = Audited(writes, sink)
    found = it.audit()
    assert kinds(found.differences) == {
        "a": "changed", "b": "changed", "c": "missing", "stray": "extra",
    }  # fmt: skip
    monkeypatch.setattr(sink, "merge", move_first)
    assert it.repair(found) == 4
    monkeypatch.setattr(sink, "merge", merge)
    assert table(sink) == {"a": 2, "b": 1, "c": 7, "stray": 9}
    assert Audited(writes, sink).audit().differing == 0


def test_a_copy_that_never_stands_still_is_taken_over_and_claimed_back(
    sink: SqliteSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, mine = Log(), Log()
    filled(log, [(b"a", value(1, 1)), (b"b", value(1, 1))])
    live = engine(log, sink, [])
    live.step(0)
    mine.records = log.records
    damage(sink, {"a": 100})
    it = Audited(mine, sink)
    found = it.audit()
    merge = sink.merge
    fenced: list[str] = []

    def busy(*arguments: Any) -> None:
        monkeypatch.setattr(sink, "merge", merge)
        log.append(b"b", value(1, len(log.records[Partition(TOPIC, 0)])))
        try:
            live.step(0)
        except Exception as error:  # noqa: BLE001  (whatever it is, the copy is no longer ours)
            fenced.append(type(error).__name__)
        monkeypatch.setattr(sink, "merge", busy)
        merge(*arguments)

    monkeypatch.setattr(sink, "merge", busy)
    assert it.repair(found) == 1
    monkeypatch.setattr(sink, "merge", merge)
    assert table(sink)["a"] == 1
    assert fenced == ["FencedError"]
    log.assign(live.claim(list(log.records)))
    while live.step(0).records:
        pass
    assert Audited(mine, sink).audit().differing == 0


def test_a_row_that_something_else_keeps_changing_is_not_called_repaired(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(b"a", value(1, 1))])
    engine(log, sink, []).step(0)
    sink._db.execute(
        "CREATE TRIGGER meddler AFTER UPDATE ON copy BEGIN "
        "UPDATE copy SET n = '7' WHERE record_key = 'a'; END"
    )
    sink.merge("copy", layout_of(sink), [["a", "2", None]], [])
    it = Audited(log, sink)
    with pytest.raises(CopyDivergedError, match="something else writes to copy"):
        it.repair(it.audit())


def test_quarantine_is_rightly_absent_and_accepted_once_readable(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(b"a", value(1, 1)), (b"b", value(1, 2))])
    engine(log, sink, []).step(0)
    filled(log, [(b"a", value(1, 3))])
    last = log.records[Partition(TOPIC, 1)][-1]
    sink.claim("c", "copy", list(log.records))
    sink._db.execute("UPDATE insideout_offsets SET next_offset = next_offset + (partition = 1)")
    # left out when it was copied, and readable by now: the copy rightly holds what was before
    skip = frozenset({place_of(last)})
    found = Audited(log, sink, skip=skip).audit()
    assert (found.differing, found.copy) == (0, found.log)
    # a regeneration since then has written it
    damage(sink, {"a": 3})
    sink.merge("copy", layout_of(sink), [["a", "3", 3]], [])
    assert Audited(log, sink, skip=skip).audit().differing == 0
    damage(sink, {"a": 4})
    assert kinds(Audited(log, sink, skip=skip).audit().differences) == {"a": "changed"}


class Gone(Log):
    """A log that compaction took some records from."""

    def __init__(self, log: Log, *gone: Record) -> None:
        super().__init__()
        self.records = log.records
        self._gone = {place_of(record) for record in gone}

    def poll(self, limit: int, timeout: float) -> list[Record]:
        return [it for it in super().poll(limit, timeout) if place_of(it) not in self._gone]


def test_what_compaction_took_before_the_copy_read_on_is_not_judged(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(b"a", value(1, 1)), (b"c", value(1, 1)), (b"b", value(1, 2))])
    engine(log, sink, []).step(0)
    first, other, _ = (*log.records[Partition(TOPIC, 1)], *log.records[Partition(TOPIC, 0)])
    filled(log, [(b"a", value(1, 9))])  # not read yet, and the reason why `first` may go
    found = Audited(Gone(log, first), sink, compacts=True).audit()
    assert (found.differing, found.unjudged) == (0, 1)
    assert kinds(Audited(Gone(log, first), sink).audit().differences) == {"a": "extra"}
    # without a later record it is no work of compaction
    assert kinds(Audited(Gone(log, first, other), sink, compacts=True).audit().differences) == {
        "c": "extra"
    }


def test_a_log_that_does_not_reach_back_is_refused(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(b"a", value(1, 1)), (b"a", value(1, 2))])
    engine(log, sink, []).step(0)
    cut = Log(begin=1)
    cut.records[Partition(TOPIC, 1)] = log.records[Partition(TOPIC, 1)][1:]
    with pytest.raises(LogIncompleteError, match="offsets 0 to 0"):
        Audited(cut, sink).audit()
    assert Audited(cut, sink, compacts=True).audit().differing == 0
    with pytest.raises(LogIncompleteError, match="made anew"):
        Audited(Log(), sink).audit()


def test_nothing_copied_yet_and_nothing_but_tombstones(sink: SqliteSink) -> None:
    log = Log()
    assert Audited(log, sink).audit().copy == Digest(0, 0)
    log.append(b"a", None)
    engine(log, sink, []).step(0)
    found = Audited(log, sink).audit()
    assert (found.differing, found.moment.positions[Partition(TOPIC, 1)]) == (0, 1)


def test_the_budget_divides_the_keys_and_reads_the_log_again(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(f"k{number}".encode(), value(1, number)) for number in range(200)])
    engine(log, sink, []).step(0)
    it = Audited(log, sink, budget=12_000)
    assert it.audit().differing == 0
    assert 8 <= it.fold.passes <= 32
    damage(sink, {"k7": 1000, "k8": None})
    it = Audited(log, sink, budget=12_000, slice_rows=1)
    found = it.audit()
    assert kinds(found.differences) == {"k7": "changed", "k8": "missing"}
    assert it.repair(found) == 2


def test_events_are_hashed_as_they_come(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(b"a", value(1, number)) for number in range(50)])
    keying = EventKeying()
    preparation = Preparation(JsonDecoder(), keying, lambda *_: None)
    changes = preparation.changes([*log.records[Partition(TOPIC, 1)]])
    assert preparation.layout is not None
    live, _ = sink.claim("c", "copy", list(log.records))
    sink.shape("c", live.number, preparation.layout)
    sink.merge("copy", preparation.layout, list(changes.upserts.values()), [])
    sink._db.execute("UPDATE insideout_offsets SET next_offset = 50 * partition")
    reading = LogReading(log)

    def audit() -> Outcome:
        fold = LogFold(reading, preparation, lambda *_: None, replaces=False, budget=1000)
        return Auditor("c", sink, reading, fold, preparation, lambda *_: None).run()

    assert (audit().differing, audit().log.rows) == (0, 50)
    sink._db.execute("DELETE FROM copy WHERE kafka_offset = 7")
    sink._db.execute("UPDATE copy SET kafka_key = 'x' WHERE kafka_offset = 8")
    found = audit()
    assert {it.key: it.kind for it in found.differences} == {
        (TOPIC, 1, 7): "missing",
        (TOPIC, 1, 8): "changed",
    }
    assert next(it for it in found.differences if it.kind == "changed").columns == ("kafka_key",)


def test_a_word_in_a_column_of_numbers_is_a_change(sink: SqliteSink) -> None:
    log = Log()
    filled(log, [(b"a", value(1, 1)), (b"b", value(1, 2))])
    engine(log, sink, []).step(0)
    sink._db.execute("UPDATE copy SET m = 'many' WHERE record_key = 'a'")
    sink._db.execute("UPDATE copy SET n = 'no json' WHERE record_key = 'b'")
    it = Audited(log, sink)
    found = it.audit()
    assert kinds(found.differences) == {"a": "changed", "b": "changed"}
    assert it.repair(found) == 2
    assert table(sink) == {"a": 1, "b": 2}
