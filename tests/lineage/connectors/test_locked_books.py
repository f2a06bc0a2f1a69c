"""Copies begin and go on while somebody, frozen maybe, holds the lock of the product's database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from broker.connection import Connection
from tests.lineage.connectors.test_survive import Scene
from tests.lineage.connectors.workers import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.faults]


@pytest.fixture
def scene(
    kafka: Connection, tmp_path: Path, sqlite_target: str, postgres_target: str
) -> Iterator[Scene]:
    made = Scene(kafka, tmp_path, sqlite_target, postgres_target)
    yield made
    made.space.stop()


def test_a_lock_that_is_held_stops_no_copy(scene: Scene) -> None:
    scene.orders.write(500)
    first = scene.space.start("connectors", "run")
    live = "SELECT count(*) FROM connectors_generation WHERE state = 'live'"
    eventually(lambda: scene.space.rows(live) == [(2,)], 60, scene.space.logs)
    first.kill()
    first.wait()
    with closing(sqlite3.connect(scene.space.folder / "product.sqlite3")) as db:
        db.execute("BEGIN IMMEDIATE")
        scene.orders.write(500)
        scene.space.start("connectors", "run")
        scene.settle(60)
        # each word that it would leave waits for the lock, for 20 s, and is given up
        eventually(lambda: "could not leave word" in scene.space.logs(), 90, scene.space.logs)
        scene.orders.write(500)
        scene.settle(90)
        db.rollback()
