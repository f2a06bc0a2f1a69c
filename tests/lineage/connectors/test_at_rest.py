"""A live engine at rest notices that its table was swapped, rolled back, or taken over."""

from collections.abc import Callable

import pytest

from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.errors import FencedError
from lineage.connectors.keying import TextKeying
from lineage.connectors.sinks.contract import Sink
from tests.lineage.connectors.test_builds import build
from tests.lineage.connectors.test_fold import JsonDecoder, Log, value


def at_rest(log: Log, sink: Sink) -> LiveEngine:
    """An engine that has read all there is, and looks each time that nothing comes."""
    preparation = Preparation(JsonDecoder(), TextKeying("record_key"), lambda *_: None)
    made = LiveEngine("c", "copy", log, preparation, sink)
    made.look_seconds = 0.0
    log.assign(made.claim(list(log.records)))
    while made.step(0).records:
        pass
    return made


def a_log() -> Log:
    log = Log()
    for number in range(6):
        log.append(b"ab"[number % 2 : number % 2 + 1], value(1, number))
    return log


def test_a_swap_and_a_rollback_are_noticed_without_a_record(
    open_target: Callable[[], Sink],
) -> None:
    log, other = a_log(), open_target()
    live = at_rest(log, open_target())
    assert live.live.number == 1
    shorter = a_log()
    build(shorter, other).run()
    assert live.step(0).records == 0
    assert live.live.number == 2
    offsets = dict(log.positions)
    other.roll_back("c")
    live.step(0)
    assert live.live.number == 3
    # it stands where the generation that is live again was left, and goes on from there
    stored = {place: found.next for place, found in other.positions("c").items()}
    assert log.positions == stored == offsets
    log.append(b"c", value(1, 9))
    assert live.step(0).upserts == 1


def test_another_owner_is_noticed_without_a_record(open_base: Callable[[], Sink]) -> None:
    log, other = a_log(), open_base()
    live = at_rest(log, open_base())
    other.claim("c", "copy", list(log.records)[:1])
    with pytest.raises(FencedError, match="another owner"):
        live.step(0)
    # what a rebalance has taken away is no concern of it
    again = at_rest(log, open_base())
    other.claim("c", "copy", list(log.records))
    log.positions = {}
    assert again.step(0).records == 0


def test_between_two_looks_the_target_is_left_alone(open_base: Callable[[], Sink]) -> None:
    log, other = a_log(), open_base()
    preparation = Preparation(JsonDecoder(), TextKeying("record_key"), lambda *_: None)
    live = LiveEngine("c", "copy", log, preparation, open_base())
    live.look_seconds = 3600.0
    log.assign(live.claim(list(log.records)))
    while live.step(0).records:
        pass
    other.claim("c", "copy", list(log.records))
    assert live.step(0).records == 0
    log.append(b"a", value(1, 9))
    with pytest.raises(FencedError):
        live.step(0)
