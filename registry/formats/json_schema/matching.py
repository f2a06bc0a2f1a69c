"""Maximum matching in a bipartite graph, by augmenting paths (Kuhn's algorithm, no recursion)."""

from collections.abc import Iterator, Mapping, Sequence


def maximum_matching(edges: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Left vertex → right vertex, as many pairs as possible; earlier edges are preferred."""
    partner: dict[int, int] = {}
    for left in edges:
        _augment(left, edges, partner)
    return {left: right for right, left in sorted(partner.items(), key=lambda item: item[1])}


def _augment(start: int, edges: Mapping[int, Sequence[int]], partner: dict[int, int]) -> None:
    """Search depth first for a free right vertex and flip the path that leads to it."""
    seen: set[int] = set()
    path: list[tuple[int, Iterator[int]]] = [(start, iter(edges[start]))]
    chosen: list[int] = []
    while path:
        right = next((end for end in path[-1][1] if end not in seen), None)
        if right is None:
            path.pop()
            if chosen:
                chosen.pop()
            continue
        seen.add(right)
        chosen.append(right)
        if right not in partner:
            for (left, _), end in zip(path, chosen, strict=True):
                partner[end] = left
            return
        path.append((partner[right], iter(edges[partner[right]])))
