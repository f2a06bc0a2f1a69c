"""A computation that takes too long is ended, and nothing reaches the thread afterwards."""

import threading
import time
from functools import partial

import pytest

from registry.budget import Budget, OutOfTimeError, within


def _for_ever() -> None:
    while True:
        pass


def test_what_takes_too_long_is_ended() -> None:
    began = time.thread_time()
    with pytest.raises(OutOfTimeError):
        within(0.05, _for_ever)
    assert time.thread_time() - began < 1


def _spin(seconds: float) -> bool:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return True


def test_nothing_comes_after_the_end() -> None:
    for limit in (0.01, 0.02, 0.03) * 8:
        try:
            assert within(limit, partial(_spin, limit))
        except OutOfTimeError:
            continue
    # whatever was raised has arrived where it was meant to
    assert _spin(0.1)


def test_waiting_costs_nothing() -> None:
    assert within(0.05, lambda: time.sleep(0.3)) is None


def test_each_thread_has_a_time_of_its_own() -> None:
    ended: list[str] = []

    def work(name: str, seconds: float) -> None:
        try:
            within(seconds, _for_ever)
        except OutOfTimeError:
            ended.append(name)

    threads = [threading.Thread(target=work, args=each) for each in (("b", 0.4), ("a", 0.02))]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert ended == ["a", "b"]


def test_several_share_a_budget() -> None:
    budget = Budget(0.2)
    end = time.thread_time() + 0.1
    budget.spend(lambda: [None for _ in iter(lambda: time.thread_time() < end, False)])
    assert budget.left < 0.15
    with pytest.raises(OutOfTimeError):
        budget.spend(_for_ever)
