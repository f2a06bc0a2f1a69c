from fnmatch import fnmatchcase

from lineage.edges import Node
from lineage.identity import Identities, KnownService

PATTERNS = {
    ("group", "g-*"): KnownService("billing", "money"),
    ("transactional_id", "pay-*"): KnownService("payments", "money"),
    ("source", "/orders"): KnownService("orders", "sales"),
    ("client_id", "web-*"): KnownService("web", None),
}


def recognise(kind: str, name: str) -> KnownService | None:
    for (pattern_kind, pattern), service in PATTERNS.items():
        if kind == pattern_kind and fnmatchcase(name, pattern):
            return service
    return None


def test_what_nobody_recognises_is_an_actor_by_its_own_name() -> None:
    who = Identities([], recognise)
    assert who.node("group", "x") == Node("actor", "x", None, "group")
    assert who.node("producer_id", "7") == Node("actor", "7", None, "producer_id")


def test_topics_and_copies_are_themselves() -> None:
    who = Identities([], recognise)
    assert who.node("topic", "orders", "sales").context == "sales"
    assert who.node("copy", "c") == who.node("group", "insideout.connector.c") == Node("copy", "c")


def test_a_recognised_group_recognises_the_transactional_id_tied_to_it() -> None:
    who = Identities([(3, "transactional_id", "tx-1"), (3, "group", "g-1")], recognise)
    for kind, name in (("producer_id", "3"), ("transactional_id", "tx-1"), ("group", "g-1")):
        assert who.node(kind, name) == Node("service", "billing")


def test_tied_names_without_a_service_are_one_actor_named_by_the_group() -> None:
    who = Identities(
        [
            (3, "transactional_id", "t-1"),
            (3, "group", "h"),
            (4, "group", "h"),
            (4, "transactional_id", "t-2"),
        ],
        recognise,
    )
    assert {who.node("transactional_id", name) for name in ("t-1", "t-2")} == {
        Node("actor", "h", None, "group")
    }


def test_a_stamp_names_a_bare_producer() -> None:
    who = Identities([(5, "source", "/orders")], recognise)
    assert who.node("producer_id", "5") == Node("service", "orders")


def test_a_stamp_passed_on_by_a_known_producer_names_nobody() -> None:
    who = Identities([(3, "transactional_id", "pay-1"), (3, "source", "/orders")], recognise)
    assert who.node("producer_id", "3") == Node("service", "payments")
    assert who.node("source", "/orders") == Node("service", "orders")


def test_several_stamps_name_nobody() -> None:
    who = Identities([(5, "source", "/orders"), (5, "source", "/other")], recognise)
    assert who.node("producer_id", "5").kind == "actor"


def test_own_recognition_beats_what_is_tied() -> None:
    who = Identities([(3, "transactional_id", "pay-1"), (3, "group", "g-1")], recognise)
    assert who.node("transactional_id", "pay-1").name == "payments"
    assert who.node("group", "g-1").name == "billing"


def test_client_ids_recognise_a_group_that_agrees() -> None:
    who = Identities([], recognise)
    assert who.node("group", "x", None, ["web-1", "web-2"]) == Node("service", "web")
    assert who.node("group", "x", None, ["other"]).kind == "actor"
