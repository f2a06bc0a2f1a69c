"""Writers that die at any instruction leave rows and offsets that belong together."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Live
from tests.lineage.connectors.sinks.writer import LAYOUT, PLACE, STEP, fold

ROOT = Path(__file__).resolve().parents[4]


def start(url: str, *step: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.lineage.connectors.sinks.writer", url, *step]
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE
    )


def stands(url: str) -> tuple[Live, int]:
    """Return generation and offset, having checked that the rows are theirs."""
    sink = open_sink(url)
    live = sink.live("c")
    assert live is not None
    offset = sink.positions("c")[PLACE].next
    if live.layout is not None:
        assert {row[0]: row[1] for row in sink.read("numbers", LAYOUT)} == fold(offset)
    sink.close()
    return live, offset


@pytest.mark.mysql
@pytest.mark.parametrize("step", ["mysql-rename", "mysql-record"])
def test_a_swap_in_mysql_is_finished_by_whoever_asks_next(mysql_target: str, step: str) -> None:
    with start(mysql_target, step) as writer:
        assert writer.wait(60) == 9
    assert stands(mysql_target) == (Live(2, "numbers", LAYOUT), 2 * STEP)


@pytest.mark.parametrize("step", ["parquet-commit", "parquet-link", "parquet-show"])
def test_a_swap_in_parquet_is_done_or_not(parquet_target: str, step: str) -> None:
    with start(parquet_target, step) as writer:
        assert writer.wait(60) == 9
    done = (Live(2, "numbers", LAYOUT), 2 * STEP)
    undone = (Live(1, "numbers", LAYOUT), STEP)
    assert stands(parquet_target) == (done if step == "parquet-show" else undone)


@pytest.mark.faults
def test_killed_again_and_again(extra_target: str) -> None:
    offsets = []
    for _ in range(12):
        with start(extra_target) as writer:
            assert writer.stdout is not None
            # it is ready before it has claimed the copy: what it wrote at least once is there
            for _ in range(random.randint(2, 8)):
                assert writer.stdout.readline() in {b"ready\n", b"wrote\n"}
            time.sleep(random.uniform(0, 0.2))
            writer.kill()
        offsets.append(stands(extra_target)[1])
    assert len(set(offsets)) > 6
