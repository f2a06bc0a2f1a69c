"""The questions over REST, on one small estate."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Cluster
from tests.lineage import estate

pytestmark = pytest.mark.django_db
API = "/api/v1/lineage"


@pytest.fixture
def cluster() -> Cluster:
    return estate.build()


@pytest.fixture
def ask(client: Client, cluster: Cluster) -> Any:
    def answer(question: str, **query: str | int) -> Any:
        told = client.get(f"{API}/{question}", query)
        assert told.status_code == 200, told.content
        return told.json()

    return answer


def _names(nodes: list[dict[str, Any]]) -> set[str]:
    return {(it.get("node") or it)["name"] for it in nodes}


def test_downstream_to_a_depth_says_what_it_left_out(ask: Any) -> None:
    near = ask("downstream", node="service:orders", depth=2)
    assert near["focus"]["kind"] == "service"
    assert (near["nodes"][0]["node"]["name"], near["nodes"][0]["distance"]) == ("ordered", 1)
    assert _names(near["nodes"]) == {
        "ordered",
        "unused",
        "payments",
        "orders_pg",
        "newcomer",
        "left",
    }
    assert (near["hidden"], near["beyond"], near["returns"]) == (0, 2, True)
    assert all(it["evidence"] for it in near["edges"])
    capped = ask("downstream", node="service:orders", cap=2)
    assert (len(capped["nodes"]), capped["hidden"]) == (2, 6)


def test_upstream_is_the_other_way_and_can_be_projected(ask: Any) -> None:
    found = ask("upstream", node="mail", projection="services")
    assert _names(found["nodes"]) == {"payments", "intruder-tx", "orders"}
    assert found["edges"] == []
    assert {(it["source"]["name"], it["target"]["name"]) for it in found["links"]} >= {
        ("payments", "mail"),
        ("orders", "payments"),
    }
    topics = ask("upstream", node="mail", projection="topics", depth=1)
    assert _names(topics["nodes"]) == {"paid"}


def test_stale_edges_count_unless_told_otherwise(ask: Any) -> None:
    assert "left" in _names(ask("downstream", node="ordered")["nodes"])
    assert "left" not in _names(ask("downstream", node="ordered", active="true")["nodes"])
    then = (timezone.now() - timedelta(hours=12)).isoformat()
    assert _names(ask("downstream", node="ordered", as_of=then)["nodes"]) == {"left"}


def test_a_declared_thing_that_nobody_saw_reaches_nothing(ask: Any) -> None:
    long_ago = "2020-01-01T00:00:00Z"
    for node in ("topic:ordered", "service:orders", "ordered"):
        found = ask("upstream", node=node, as_of=long_ago)
        assert (found["nodes"], found["hidden"]) == ([], 0)


def test_the_shortest_story_is_told(ask: Any) -> None:
    story = ask("path", source="service:orders", target="mail")
    assert story["text"] == (
        "orders writes ordered · payments reads ordered and writes paid · mail reads paid"
    )
    assert [step["text"] for step in story["steps"]] == story["text"].split(" · ")
    assert story["steps"][1]["read"]["evidence"][0]["kind"] == "member"
    assert (story["hops"], story["alternatives"], story["found"]) == (4, 0, True)
    none = ask("path", source="mail", target="orders")
    assert (none["found"], none["steps"], none["reverse"]) == (False, [], True)


def test_orphans_of_each_sort(ask: Any) -> None:
    found = ask("orphans")["results"]
    assert {it["topic"]["name"]: it["state"] for it in found} == {
        "unused": "never_read",
        "silent": "never_written",
        "fresh": "never_sampled",
    }
    assert {it["cluster"] for it in found} == {"main"}
    (never,) = ask("orphans", state="never_read")["results"]
    assert _names(never["writers"]) == {"orders"}
    with_internal = ask("orphans", internal="true")["results"]
    assert "app-state-changelog" in {it["topic"]["name"] for it in with_internal}


def test_declared_against_observed(ask: Any) -> None:
    found = {it["topic"]: it for it in ask("declared")["results"]}
    assert found["paid"]["verdict"] == "violated"
    assert found["paid"]["undeclared"] == ["intruder-tx"]
    assert found["paid"]["unrecognised"] == ["intruder-tx"]
    assert found["ordered"]["verdict"] == "verified"
    assert (found["ordered"]["observed"], found["ordered"]["unobserved"]) == (["orders"], False)
    assert [it["topic"] for it in ask("declared", verdict="violated")["results"]] == ["paid"]
    early = ask("declared", topic="ordered", as_of="2020-01-01T00:00:00Z")["results"]
    assert [(it["verdict"], it["unobserved"]) for it in early] == [("unverified", True)]


def test_the_verdict_is_the_one_of_the_topics_page(client: Client, ask: Any) -> None:
    for row in ask("declared")["results"]:
        shown = client.get(f"/api/v1/topics/{row['cluster']}/{row['topic']}").json()
        assert shown["writer"]["verdict"] == row["verdict"]


def test_what_changed_since_yesterday(ask: Any) -> None:
    since = (timezone.now() - timedelta(hours=23, minutes=59, seconds=30)).isoformat()
    found = ask("diff", since=since)
    told = {(it["kind"], it["edge"]["target"]["name"], it["cause"]) for it in found["results"]}
    assert ("gone", "left", "last seen") in told
    assert ("appeared", "newcomer", "first seen") in told
    assert {it["node"]["name"] for it in found["nodes"] if it["kind"] == "gone"} >= {"left"}
    assert found["count"] == len(found["results"])
    page = ask("diff", since=since, limit=1)
    assert (len(page["results"]), page["count"]) == (1, found["count"])
    assert page["next"]
    gone = ask("diff", since=since, kind="gone")
    assert {it["kind"] for it in gone["results"]} == {"gone"}
    now = timezone.now().isoformat()
    assert ask("diff", since=now, as_of=now)["count"] == 0


def test_couplings_and_cycles(ask: Any) -> None:
    couplings = ask("couplings")["results"]
    first = next(it for it in couplings if (it["source"], it["target"]) == ("sales", "finance"))
    assert (first["topics"], first["flows"], first["cyclic"]) == (["ordered"], 1, True)
    assert first["readers"] == ["service:payments"]
    (loop,) = ask("cycles")["results"]
    assert (loop["kind"], loop["active"]) == ("loop", True)
    assert _names(loop["nodes"]) == {"orders", "ordered", "payments", "paid"}


def test_a_footprint(ask: Any) -> None:
    found = ask("footprint", service="payments")
    assert found["groups"] == ["payments-g"]
    assert found["transactional_ids"] == ["payments-tx"]
    assert (found["client_ids"], found["hosts"]) == (["payments-1"], ["/10.0.0.7"])
    assert ("producer_id", "7") in {(it["kind"], it["name"]) for it in found["names"]}
    assert (found["fed_by"], found["feeds"]) == (["sales"], ["notices", "sales"])
    assert found["since"]
    assert found["active"]


def test_the_same_edges_from_every_viewpoint(ask: Any) -> None:
    everything = ask("edges")["results"]
    nodes = {
        (end["kind"], end["name"]) for it in everything for end in (it["source"], it["target"])
    }
    seen = []
    for kind, name in nodes:
        near = ask("downstream", node=f"{kind}:{name}", depth=1, internal="true")["edges"]
        mine = [it for it in near if it["source"]["name"] == name]
        assert mine == ask("edges", source=f"{kind}:{name}")["results"]
        assert all(it in everything for it in near)
        seen += mine
    assert len(seen) == len(everything)


@pytest.mark.parametrize(
    ("question", "query", "status", "kind"),
    [
        ("upstream", {}, 400, "invalid"),
        ("upstream", {"node": "ordered", "depth": "0"}, 400, "invalid"),
        ("upstream", {"node": "ordered", "projection": "rivers"}, 400, "invalid"),
        ("upstream", {"node": "ordered", "active": "perhaps"}, 400, "invalid"),
        ("downstream", {"node": "nothing"}, 404, "lineage-node-not-found"),
        ("downstream", {"node": "ordered", "as_of": "friday"}, 400, "instant-invalid"),
        ("path", {"source": "orders"}, 400, "invalid"),
        ("path", {"source": "orders", "target": "nothing"}, 404, "lineage-node-not-found"),
        ("diff", {}, 400, "invalid"),
        ("diff", {"since": "friday"}, 400, "instant-invalid"),
        ("diff", {"since": "2026-01-01T00:00:00Z", "limit": "x"}, 400, "invalid"),
        ("orphans", {"state": "lonely"}, 400, "invalid"),
        ("orphans", {"cluster": "elsewhere"}, 404, "not-in-catalog"),
        ("declared", {"verdict": "good"}, 400, "invalid"),
        ("declared", {"cluster": "elsewhere"}, 404, "not-in-catalog"),
        ("couplings", {"as_of": "x"}, 400, "instant-invalid"),
        ("cycles", {"cluster": "elsewhere"}, 404, "not-in-catalog"),
        ("footprint", {"service": "nothing"}, 404, "lineage-node-not-found"),
        ("footprint", {"service": "topic:ordered"}, 404, "lineage-node-not-found"),
    ],
)
def test_refusals_are_problems(
    client: Client,
    cluster: Cluster,
    question: str,
    query: dict[str, str],
    status: int,
    kind: str,
) -> None:
    answer = client.get(f"{API}/{question}", query)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:insideout:{kind}"
