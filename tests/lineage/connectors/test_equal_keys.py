"""Two raw keys that make one primary key: the later record counts, whatever it is."""

import json
from functools import partial
from io import BytesIO

import pytest
from fastavro import parse_schema, schemaless_writer

from lineage.connectors.engine_parts import Writer
from lineage.connectors.keying import plain_parts
from lineage.connectors.writers import writer_from
from tests.lineage.connectors.test_sharing import (
    GIVE_UP_AFTER,
    Inlines,
    ManyLog,
    Outcome,
    find,
    value,
)

OTHERS = [None, 2]
KEY = {"type": "record", "name": "K", "fields": [{"name": "id", "type": "long"}]}


def find_also_keys(frame: bytes) -> Writer:
    """Schemas 3 to 5 are those of keys: they differ in what they say of themselves."""
    if frame[-1] in {3, 4, 5}:
        return writer_from("AVRO", json.dumps(KEY | {"doc": str(frame[-1])}), ())
    return find(frame)


def framed_key(schema: int, number: int) -> bytes:
    out = BytesIO()
    schemaless_writer(out, parse_schema(KEY), {"id": number})
    return b"\0\0\0\0" + bytes([schema]) + out.getvalue()


def filled(log: ManyLog, count: int = 5) -> ManyLog:
    """Fill the partitions, so that what follows is later, and there is something to share."""
    for place in log.records:
        for at in range(count):
            log.put_into(place.partition, f"{place.partition}-{at}".encode(), value(at))
    return log


def built(log: ManyLog, target: str, others: int | None) -> Outcome:
    return Outcome(log, target, "table", beside(others))


def keyed(log: ManyLog, target: str, others: int | None) -> Outcome:
    """Build a table whose keys have schemas."""
    parts = partial(plain_parts, "table", "schema", ())
    return Outcome(log, target, "table", beside(others), parts=parts, finds=find_also_keys)


def beside(others: int | None) -> Inlines | None:
    return None if others is None else Inlines(others, GIVE_UP_AFTER)


@pytest.mark.postgres
@pytest.mark.parametrize("others", OTHERS)
def test_a_later_deletion_counts_under_another_spelling(
    postgres_target: str, others: int | None
) -> None:
    log = ManyLog()
    log.put_into(2, b"\\xff", value(1))
    filled(log)
    log.put_into(0, b"\xff", None)
    found = built(log, postgres_target, others)
    assert ("\\xff",) not in found.rows
    assert len(found.rows) == 15


@pytest.mark.postgres
@pytest.mark.parametrize("others", OTHERS)
def test_an_earlier_deletion_does_not(postgres_target: str, others: int | None) -> None:
    log = ManyLog()
    log.put_into(0, b"\xff", None)
    filled(log)
    log.put_into(2, b"\\xff", value(1))
    assert built(log, postgres_target, others).rows["\\xff",]["n"] == 1


@pytest.mark.postgres
@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("later", [True, False])
def test_what_stands_in_for_quarantine_keeps_to_the_order_too(
    postgres_target: str, others: int | None, later: bool
) -> None:
    log = ManyLog()
    if later:
        log.put_into(2, b"\\xff", value(1))
        filled(log)
    log.put_into(0, b"\xff", value(2))
    log.put_into(0, b"\xff", b"what?")
    if not later:
        filled(log)
        log.put_into(2, b"\\xff", value(1))
    found = built(log, postgres_target, others)
    assert found.rows["\\xff",]["n"] == (2 if later else 1)
    assert {key for key, _ in found.quarantine} == {b"\xff"}


@pytest.mark.postgres
@pytest.mark.parametrize("others", OTHERS)
def test_a_deletion_stays_one_beside_what_stands_in_for_quarantine(
    postgres_target: str, others: int | None
) -> None:
    log = ManyLog()
    log.put_into(0, b"\xff", value(2))
    log.put_into(0, b"\xff", b"what?")
    filled(log)
    log.put_into(2, b"\\xff", None)
    found = built(log, postgres_target, others)
    assert ("\\xff",) not in found.rows


@pytest.mark.postgres
@pytest.mark.parametrize("others", OTHERS)
def test_keys_of_a_schema_that_was_registered_anew(
    postgres_target: str, others: int | None
) -> None:
    log = ManyLog()
    for number in range(30):
        log.put_into(number % 3, framed_key(3, number), value(number))
    for number in range(10):
        log.put_into((number + 1) % 3, framed_key(4, number), None if number % 2 else value(-1))
    # of this one there are deletions only
    for number in range(20, 25):
        log.put_into((number + 1) % 3, framed_key(5, number), None)
    found = keyed(log, postgres_target, others)
    rows = {row["id"]: row["n"] for row in found.rows.values()}
    others_kept = (*range(10, 20), *range(25, 30))
    assert rows == dict.fromkeys(range(0, 10, 2), -1) | {number: number for number in others_kept}


@pytest.mark.postgres
@pytest.mark.parametrize("others", OTHERS)
def test_keys_of_one_schema_stay_shared(postgres_target: str, others: int | None) -> None:
    log = ManyLog()
    for number in range(90):
        log.put_into(number % 3, framed_key(3, number), value(number))
    for number in range(10):
        log.put_into(number % 3, framed_key(3, number), None)
    log.put_into(0, b"no frame", value(1))
    log.put_into(1, b"\0\0\0\0\x09none", value(1))
    found = keyed(log, postgres_target, others)
    assert found.shared() == (others is not None)
    assert sorted(row["id"] for row in found.rows.values()) == list(range(10, 90))
    assert len(found.quarantine) == 2
