"""The engine on the kinds that are extras: live, refused records, regenerated, rolled back."""

from collections.abc import Callable
from typing import Any

import pytest

from lineage.connectors.sinks import open_sink
from tests.lineage.connectors.test_fold import Log, build, engine, model, table, value

ENTRIES: list[tuple[bytes, bytes | None]] = [
    (b"a", value(1, 1)),
    (b"b", value(1, 2)),
    (b"a", value(2, 3)),
    (b"c", value(1, 4)),
    (b"c", None),
    (b"d", b"not json"),
    (b"b", value(1, 5)),
    (b"b", None),
    (b"b", value(2, 6)),
    (b"\xff\x00", value(1, 7)),
]


@pytest.fixture
def log() -> Log:
    made = Log()
    for entry in ENTRIES:
        made.append(*entry)
    return made


def copy_of(log: Log) -> Log:
    other = Log()
    other.records = {place: list(records) for place, records in log.records.items()}
    return other


def drain(step: Callable[[float], Any]) -> None:
    while step(0).records:
        pass


def test_copied_regenerated_and_rolled_back(extra_sink: Any, extra_target: str, log: Log) -> None:
    poison: list[Any] = []
    live = engine(log, extra_sink, poison, 3)
    drain(live.step)
    assert table(extra_sink) == model(ENTRIES)
    # one more than 64 bits hold: refused, its predecessor stays
    log.append(b"a", value(1, 2**63))
    log.append(b"e", value(1, 8))
    drain(live.step)
    expected = model([*ENTRIES, (b"e", value(1, 8))])
    assert table(extra_sink) == expected
    other: Any = open_sink(extra_target)
    built = build(copy_of(log), other, poison).run()
    assert (built.number, built.digest.rows) == (2, len(expected))
    assert table(extra_sink) == expected
    log.append(b"f", value(2, 9))
    assert live.step(0).records == 0  # fenced: it goes on behind the swap
    drain(live.step)
    expected |= model([(b"f", value(2, 9))])
    assert table(extra_sink) == expected
    assert other.roll_back("c").number == 3
    assert table(extra_sink) != expected  # it had not come so far
    log.append(b"g", value(1, 10))
    expected |= model([(b"g", value(1, 10))])
    assert live.step(0).records == 0
    drain(live.step)
    assert table(extra_sink) == expected
    other.close()
