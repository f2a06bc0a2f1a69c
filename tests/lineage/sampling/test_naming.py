from datetime import UTC, datetime

from lineage.ledger import Naming, Observation
from lineage.sampling.naming import Names

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wrote(producer_id: int) -> Observation:
    return Observation("producer_id", str(producer_id), "topic", "t", "producer", NOW)


def stamped(source: str, producer_id: int | None) -> Observation:
    detail = {} if producer_id is None else {"producer_id": producer_id}
    return Observation("source", source, "topic", "t", "header", NOW, detail)


def bearers(names: Names, *observations: Observation) -> list[tuple[str, str]]:
    return [(it.source_kind, it.source_name) for it in names.attribute(observations)]


def test_who_the_coordinator_names_comes_before_what_a_record_says() -> None:
    names = Names([(1, "source", "/a"), (1, "group", "g")])
    assert bearers(names, wrote(1), stamped("/a", 1)) == [("group", "g"), ("group", "g")]
    names.learn([Naming(1, "transactional_id", "tx", "transaction")])
    assert bearers(names, wrote(1)) == [("transactional_id", "tx")]


def test_a_stamp_is_resolved_when_read_and_not_written() -> None:
    names = Names([(1, "source", "/a")])
    assert bearers(names, wrote(1), stamped("/a", 1)) == [("producer_id", "1")] * 2


def test_stamps_of_several_are_passed_on_and_prove_nothing() -> None:
    names = Names([(1, "source", "/a"), (1, "source", "/b")])
    assert bearers(names, wrote(1), stamped("/a", 1)) == [("producer_id", "1")] * 2


def test_a_writer_without_producer_id_has_but_its_stamp() -> None:
    assert bearers(Names(), stamped("/a", None)) == [("source", "/a")]


def test_a_stamp_does_not_name_a_streams_application() -> None:
    names = Names(bare=[(1, "app-x-repartition")])
    stamp = Naming(1, "source", "/upstream", "header")
    assert names.learn([stamp]) == []
    named = names.own([wrote(1)], {"app-x-repartition": "app"})
    assert named == [Naming(1, "group", "app", "streams")]
    assert names.learn(named) == named
    assert bearers(names, wrote(1), stamped("/upstream", 1)) == [("group", "app")] * 2
