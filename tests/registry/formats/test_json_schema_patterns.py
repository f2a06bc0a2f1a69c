"""The pattern engine against Python's on what both decide, and in the face of attacks."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.formats.json_schema.matching import maximum_matching
from registry.formats.json_schema.patterns import may_match

_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "(a|b)", "^", "$", r"\b"])
_QUANTIFIERS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "{0}"])


@st.composite
def _patterns(draw: st.DrawFn) -> str:
    pieces = []
    for _ in range(draw(st.integers(1, 4))):
        atom = draw(_ATOMS)
        repeatable = atom not in {"^", "$", r"\b"}
        pieces.append(atom + (draw(_QUANTIFIERS) if repeatable else ""))
    if draw(st.booleans()):
        pieces.insert(draw(st.integers(0, len(pieces))), "|")
    return "".join(pieces)


@given(pattern=_patterns(), name=st.text("ab1_ ", max_size=5))
def test_agrees_with_the_standard_library(pattern: str, name: str) -> None:
    assert may_match(pattern, name) == bool(re.search(pattern, name))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        (r"^\p{Lu}", "Ä", True),
        (r"^\p{Lu}", "ä", False),
        (r"^A\x42\u{43}$", "ABC", True),
        (r"^[\d-x]+$", "1-x", True),
        (r"^[\]]$", "]", True),
        ("(?<year>[0-9]{4})-", "2026-11", True),
        ("(?=a)b", "x", True),  # lookahead is not decided, so it may match
        (r"(a)\1", "x", True),
        ("(", "x", True),
        ("a{1000}{1000}", "x", True),
    ],
)
def test_dialect(pattern: str, name: str, expected: bool) -> None:
    assert may_match(pattern, name) is expected


def test_a_backtracking_trap_takes_linear_time() -> None:
    start = time.process_time()
    assert not may_match("^(a|a)*(a+)+$", "a" * 999 + "!")
    assert may_match("x" * 50_000, "y") in {True, False}
    assert may_match("(" * 5_000, "y")
    assert time.process_time() - start < 1


@given(st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 5), unique=True), max_size=6))
def test_matchings_are_maximal(edges: dict[int, list[int]]) -> None:
    matching = maximum_matching(edges)
    assert all(right in edges[left] for left, right in matching.items())
    assert len(set(matching.values())) == len(matching)
    assert len(matching) == _brute_force(list(edges.items()), frozenset())


def _brute_force(edges: list[tuple[int, list[int]]], taken: frozenset[int]) -> int:
    if not edges:
        return 0
    (_, ends), *others = edges
    best = _brute_force(others, taken)
    for end in ends:
        if end not in taken:
            best = max(best, 1 + _brute_force(others, taken | {end}))
    return best
