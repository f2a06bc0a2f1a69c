from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage import graph
from lineage.edges import EdgeView, EvidenceView, Node, edge_view
from lineage.panels import edges_at
from lineage.picture import BROUGHT_AT_ONCE, HUB, MOST_DRAWN, Asked, Picture, Side, around, whole

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def topic(name: str, context: str | None = None) -> Node:
    return Node("topic", name, context)


def service(name: str, context: str | None = None) -> Node:
    return Node("service", name, context)


def flow(source: Node, target: Node, age: timedelta = timedelta(0)) -> EdgeView:
    return edge_view(source, target, [EvidenceView("batch", NOW - age, NOW - age)], NOW)


def keys(picture: Picture) -> set[str]:
    return {spot.key for spot in picture.spots}


def hidden(picture: Picture, key: str) -> tuple[int, int]:
    return next(spot.hidden for spot in picture.spots if spot.key == key)


ORDERS, STOCK, PAID = topic("orders", "sales"), service("stock", "store"), topic("paid", "money")
CHAIN = [
    flow(service("shop", "sales"), ORDERS),
    flow(ORDERS, STOCK),
    flow(ORDERS, service("pay", "money")),
    flow(service("pay", "money"), PAID),
    flow(PAID, STOCK),
    flow(topic("prices", "store"), STOCK),
]


def test_a_node_tells_what_is_not_drawn_on_each_side() -> None:
    picture = around(ORDERS, edges_at(CHAIN), Asked())
    assert keys(picture) == {"topic:orders", "service:shop", "service:stock", "service:pay"}
    assert hidden(picture, "service:stock") == (2, 0)
    assert hidden(picture, "service:pay") == (0, 1)
    assert hidden(picture, "topic:orders") == (0, 0)
    assert picture.hidden == 0


def test_opening_a_node_brings_its_neighbours_and_closing_stops_there() -> None:
    opened = around(ORDERS, edges_at(CHAIN), Asked(opened=(("up", "service:stock"),)))
    assert keys(opened) >= {"topic:paid", "topic:prices"}
    assert hidden(opened, "service:stock") == (0, 0)
    # an arrow between two that are drawn is drawn, whoever brought them in
    assert {(link.source, link.target) for link in opened.links} >= {("service:pay", "topic:paid")}
    closed = around(ORDERS, edges_at(CHAIN), Asked(hops=2, closed=frozenset({"service:pay"})))
    assert "topic:paid" not in keys(closed)
    assert hidden(closed, "service:pay") == (0, 1)


def test_a_folded_context_is_one_node_with_all_its_arrows() -> None:
    picture = around(ORDERS, edges_at(CHAIN), Asked(hops=2, folded=frozenset({"money"})))
    assert keys(picture) == {"topic:orders", "service:shop", "service:stock", "context:money"}
    (money,) = (spot for spot in picture.spots if spot.kind == "context")
    assert money.members == 2
    arrows = {(link.source, link.target) for link in picture.links}
    assert ("topic:orders", "context:money") in arrows
    assert ("context:money", "service:stock") in arrows
    assert ("money", 2, True) in picture.contexts


def test_others_folded_leaves_the_context_of_the_focus_open() -> None:
    picture = around(ORDERS, edges_at(CHAIN), Asked(fold_others=True))
    assert keys(picture) == {"topic:orders", "service:shop", "context:store", "context:money"}
    back = Asked(fold_others=True, folded=frozenset({"store"}))
    assert "service:stock" in keys(around(ORDERS, edges_at(CHAIN), back))


def test_a_hub_is_drawn_with_its_freshest_neighbours_and_not_walked_through() -> None:
    many = [
        flow(ORDERS, service(f"reader-{at:03}"), timedelta(minutes=at or 60 * 24))
        for at in range(200)
    ]
    edges = [*CHAIN[:1], *many]
    seen = around(ORDERS, edges_at(edges), Asked())
    assert len(seen.spots) == 2 + HUB
    assert seen.hidden == 200 - HUB == hidden(seen, "topic:orders")[1]
    assert "service:reader-001" in keys(seen)
    assert "service:reader-000" not in keys(seen)
    from_shop = around(service("shop", "sales"), edges_at(edges), Asked(hops=3))
    assert keys(from_shop) == {"service:shop", "topic:orders"}
    assert hidden(from_shop, "topic:orders") == (0, 200)
    once: tuple[tuple[Side, str], ...] = (("down", "topic:orders"),)
    opened = around(service("shop", "sales"), edges_at(edges), Asked(opened=once))
    assert len(opened.spots) == 2 + BROUGHT_AT_ONCE
    twice = around(service("shop", "sales"), edges_at(edges), Asked(opened=once * 2))
    assert len(twice.spots) == 2 + 2 * BROUGHT_AT_ONCE
    for picture in (opened, twice):
        assert len(picture.spots) - 2 + hidden(picture, "topic:orders")[1] == 200


def test_internal_topics_are_folded_into_the_one_that_uses_them() -> None:
    log, shared = topic("app-store-changelog"), topic("app-joined-repartition")
    app = service("app")
    edges = [flow(app, log), flow(log, app), flow(app, shared), flow(shared, service("spy"))]
    picture = around(app, edges_at(edges), Asked())
    assert keys(picture) == {"service:app", "topic:app-joined-repartition"}
    assert picture.internal == picture.spots[0].internal == 1
    assert hidden(picture, "service:app") == (0, 0)
    assert "topic:app-store-changelog" in keys(around(app, edges_at(edges), Asked(internal=True)))


def test_edges_are_asked_for_once_a_step_and_never_twice_for_a_node() -> None:
    asked: list[Collection[Node]] = []
    at = edges_at(CHAIN)

    def counting(nodes: Collection[Node]) -> list[EdgeView]:
        asked.append(nodes)
        return list(at(nodes))

    around(ORDERS, counting, Asked(hops=2))
    flat = [node for nodes in asked for node in nodes]
    assert len(flat) == len(set(flat))
    assert len(asked) <= 5


def test_the_whole_is_capped_and_says_by_how_much() -> None:
    picture = whole(CHAIN, Asked(cap=3))
    assert len(picture.spots) == 3
    assert picture.hidden == 3
    assert len(picture.edges) == len(CHAIN)


_names = st.sampled_from("abcdef")
_pairs = st.lists(st.tuples(_names, _names, st.booleans()), min_size=1, max_size=25)


def _edges(pairs: list[tuple[str, str, bool]]) -> list[EdgeView]:
    unique = dict.fromkeys(
        (service(one, one), topic(other, other))
        if writes
        else (topic(other, other), service(one, one))
        for one, other, writes in pairs
    )
    return [flow(source, target) for source, target in unique]


@given(_pairs, st.integers(1, 4), st.integers(1, 12))
def test_a_picture_shows_what_the_graph_says_is_near(
    pairs: list[tuple[str, str, bool]], hops: int, cap: int
) -> None:
    edges = _edges(pairs)
    focus = edges[0].source
    near = graph.neighbourhood(edges, focus, hops, cap=1000)
    picture = around(focus, edges_at(edges), Asked(hops=hops, cap=cap))
    reach = {node.key for node in near.nodes}
    assert keys(picture) <= reach
    assert len(picture.spots) + picture.hidden == len(reach)
    assert len(picture.spots) <= cap
    assert focus.key in keys(picture)


@given(_pairs, st.sets(_names), st.lists(st.tuples(st.sampled_from(["up", "down"]), _names)))
def test_nothing_is_hidden_uncounted(
    pairs: list[tuple[str, str, bool]], folded: set[str], opened: list[tuple[str, str]]
) -> None:
    edges = _edges(pairs)
    asked = Asked(
        cap=3,
        folded=frozenset(folded),
        opened=tuple(("up" if side == "up" else "down", f"topic:{name}") for side, name in opened),
    )
    picture = around(edges[0].source, edges_at(edges), asked)
    drawn = keys(picture)
    assert len(drawn) == len(picture.spots) <= MOST_DRAWN
    for spot in picture.spots:
        if spot.node is None:
            continue
        away = [edge.source for edge in edges if edge.target == spot.node]
        assert spot.hidden[0] == sum(
            1 for it in away if it.key not in drawn and f"context:{it.context}" not in drawn
        )
    assert all(link.source in drawn and link.target in drawn for link in picture.links)
