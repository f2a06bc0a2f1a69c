"""A process that writes a copy until it is killed: merges, swaps, and rolls back.

`python -m tests.lineage.connectors.sinks.writer URL [STEP]`; STEP names where it dies by itself.
"""

import os
import random
import sys
from pathlib import Path
from typing import Any

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import SinkUnavailableError
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Fence, Live, Move, Sink, shadow_of

PLACE = Partition("numbers", 0)
LAYOUT = Layout((Column("id", "text"), Column("amount", "bigint")), 1)
KEYS = 50
STEP = 7


def fold(end: int) -> dict[str, int]:
    """What a copy holds that has read so far: numbers, the last of each key; each fifth deletes."""
    found: dict[str, int] = {}
    for number in range(max(0, end)):
        if number % 5 == 0:
            found.pop(f"k{number * 3 % KEYS}", None)
        else:
            found[f"k{number % KEYS}"] = number
    return found


def merge(sink: Sink, live: Live, at: int, epoch: int) -> None:
    """Write the next few numbers."""
    begin, end = max(at, 0), max(at, 0) + STEP
    before, after = fold(begin), fold(end)
    upserts: list[Row] = [[key, n] for key, n in after.items() if before.get(key) != n]
    deletes = {(key,) for key in before if key not in after}
    fence = Fence("c", live.number, (Move(PLACE, at, end, epoch),))
    sink.merge("numbers", LAYOUT, upserts, deletes, fence)


def swap(sink: Sink, live: Live, at: int) -> None:
    """Build a generation that has read a little further."""
    end = max(at, 0) + STEP
    sink.load(shadow_of("numbers"), LAYOUT, ([key, n] for key, n in fold(end).items()))
    sink.swap("c", Live(live.number + 1, "numbers", LAYOUT), LAYOUT, {PLACE: end})


def write(sink: Any) -> None:
    """Take one step of some kind."""
    live, places = sink.claim("c", "numbers", [PLACE])
    sink.shape("c", live.number, LAYOUT)
    for _ in range(4):
        merge(sink, live, sink.positions("c")[PLACE].next, places[PLACE].epoch)
        print("wrote", flush=True)
    if random.random() < 0.5:
        swap(sink, live, sink.positions("c")[PLACE].next)
    if random.random() < 0.2 and live.number > 1:
        sink.roll_back("c")


def die_at(step: str) -> None:
    """Make this process die where it is to take a step."""
    module, owner, method = {
        "mysql-rename": ("mysql_books", "MysqlBooks", "_rename"),
        "mysql-record": ("mysql_books", "MysqlBooks", "_record"),
        "parquet-commit": ("parquet_store", "Store", "_commit"),
        "parquet-show": ("parquet_store", "Store", "_show"),
        "parquet-link": ("parquet_store", "Path", "replace"),
    }[step]
    found = __import__(f"lineage.connectors.sinks.{module}", fromlist=[owner])
    setattr(getattr(found, owner) if owner != "Path" else Path, method, lambda *_: os._exit(9))


def main(url: str, step: str = "") -> None:
    """Write until killed, or swap once and die at a step."""
    sink = open_sink(url)
    print("ready", flush=True)
    if step:
        live, places = sink.claim("c", "numbers", [PLACE])
        sink.shape("c", live.number, LAYOUT)
        merge(sink, live, -1, places[PLACE].epoch)
        end = 2 * STEP
        sink.load(shadow_of("numbers"), LAYOUT, ([key, n] for key, n in fold(end).items()))
        die_at(step)
        sink.swap("c", Live(2, "numbers", LAYOUT), LAYOUT, {PLACE: end})
        raise AssertionError("alive")
    while True:
        try:
            write(sink)
        except SinkUnavailableError:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
