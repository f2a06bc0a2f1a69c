"""Does a pattern (ECMA-262 regular expression) match a property's name? In linear time.

Patterns come from strangers, and a backtracking engine can be made to run for years. This one
simulates an automaton. What it does not know (lookaround, back references) may match.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TypeAlias

MAX_NAME = 1_000
MAX_STATES = 2_000
# More than any comparison may cost: no need to count on.
_MOST_EFFORT = 1_000_000

Test: TypeAlias = Callable[[str], bool]
Assertion: TypeAlias = Callable[[str, int], bool]


class UnsupportedPatternError(ValueError):
    """The pattern uses what this engine does not decide."""


class Automaton:
    """States with one test for a character, or free moves under an assertion."""

    def __init__(self) -> None:
        self.tests: list[Test | None] = []
        self.moves: list[list[tuple[Assertion | None, int]]] = []

    def state(self, test: Test | None = None) -> int:
        """A new state; with a test its only move is taken by consuming a character."""
        if len(self.tests) >= MAX_STATES:
            raise UnsupportedPatternError("too many states")
        self.tests.append(test)
        self.moves.append([])
        return len(self.tests) - 1

    def join(self, start: int, end: int, assertion: Assertion | None = None) -> None:
        """A move from one state to another."""
        self.moves[start].append((assertion, end))

    def close(self, states: set[int], name: str, index: int) -> set[int]:
        """All states reachable without consuming a character."""
        reached, pending = set(states), list(states)
        while pending:
            state = pending.pop()
            if self.tests[state] is not None:
                continue
            for assertion, end in self.moves[state]:
                if end not in reached and (assertion is None or assertion(name, index)):
                    reached.add(end)
                    pending.append(end)
        return reached


def may_match(pattern: str, name: str) -> bool:
    """Whether the pattern matches somewhere in the name, or cannot be decided."""
    compiled = _compile(pattern)
    if compiled is None or len(name) > MAX_NAME:
        return True
    automaton, start, end = compiled
    states: set[int] = set()
    for index in range(len(name) + 1):
        states = automaton.close(states | {start}, name, index)
        if end in states:
            return True
        if index < len(name):
            states = {
                automaton.moves[state][0][1]
                for state in states
                if (test := automaton.tests[state]) is not None and test(name[index])
            }
    return False


def effort(patterns: Collection[str], names: Collection[str]) -> int:
    """An upper bound of the work to match all patterns against all names, in pairs compared."""
    if not names:
        return 0
    length = sum(min(len(name), MAX_NAME) + 1 for name in names)
    work = 0
    for pattern in patterns:
        work += 1 + len(pattern) // 10
        if work > _MOST_EFFORT:
            return work
        compiled = _compile(pattern)
        states = 0 if compiled is None else len(compiled[0].tests)
        work += len(names) // 10 + length * states // 200
    return work


@lru_cache(maxsize=512)
def _compile(pattern: str) -> tuple[Automaton, int, int] | None:
    automaton = Automaton()
    try:
        start, end = _Parser(pattern, automaton).parse()
    except UnsupportedPatternError:
        return None
    return automaton, start, end


_Fragment: TypeAlias = tuple[int, int]
_QUANTIFIER = re.compile(r"(\*|\+|\?|\{(\d{1,4})(,(\d{0,4}))?\})\??")
_MAX_GROUPS = 50


class _Parser:
    """Recursive descent over the pattern, building the automaton as it goes."""

    def __init__(self, pattern: str, automaton: Automaton) -> None:
        self._pattern = pattern
        self._automaton = automaton
        self._at = 0
        self._depth = 0

    def parse(self) -> _Fragment:
        fragment = self._alternatives()
        if self._at < len(self._pattern):
            raise UnsupportedPatternError("unbalanced parenthesis")
        return fragment

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        if self._at > len(self._pattern):
            raise UnsupportedPatternError("ends too early")
        return self._pattern[self._at - 1]

    def _alternatives(self) -> _Fragment:
        start, end = self._automaton.state(), self._automaton.state()
        while True:
            first, last = self._sequence()
            self._automaton.join(start, first)
            self._automaton.join(last, end)
            if self._peek() != "|":
                return start, end
            self._at += 1

    def _sequence(self) -> _Fragment:
        start = end = self._automaton.state()
        while self._peek() not in {"", "|", ")"}:
            first, last = self._quantified()
            self._automaton.join(end, first)
            end = last
        return start, end

    def _quantified(self) -> _Fragment:
        begin = self._at
        fragment = self._atom()
        found = _QUANTIFIER.match(self._pattern, self._at)
        if found is None:
            return fragment
        least, most = _counts(found)
        copies = [fragment]
        for _ in range(max(least, most or 0, 1) - 1):
            self._at = begin
            copies.append(self._atom())
        self._at = found.end()
        return self._repeat(copies, least, most)

    def _repeat(self, copies: list[_Fragment], least: int, most: int | None) -> _Fragment:
        """Chain the copies; those past `least` may be skipped, an endless last one loops."""
        start, final = self._automaton.state(), self._automaton.state()
        end = start
        for index, (first, last) in enumerate(copies):
            if index >= least:
                self._automaton.join(end, final)
            if most is None or index < most:
                self._automaton.join(end, first)
            end = last
        if most is None:
            self._automaton.join(end, copies[-1][0])
        if most != 0:
            self._automaton.join(end, final)
        return start, final

    def _atom(self) -> _Fragment:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return self._consume(self._character_class())
        if char == ".":
            return self._consume(lambda other: other not in "\n\r\u2028\u2029")
        if char == "^":
            return self._assert(lambda _, index: index == 0)
        if char == "$":
            return self._assert(lambda name, index: index == len(name))
        if char == "\\":
            return self._escaped()
        if char in "*+?":
            raise UnsupportedPatternError("nothing to repeat")
        return self._consume(_equals(char))

    def _group(self) -> _Fragment:
        if self._peek() == "?":
            opening = re.compile(r"\?(:|<[A-Za-z_$][\w$]*>)").match(self._pattern, self._at)
            if opening is None:
                raise UnsupportedPatternError("lookaround")
            self._at = opening.end()
        self._depth += 1
        if self._depth > _MAX_GROUPS:
            raise UnsupportedPatternError("groups nested too deep")
        fragment = self._alternatives()
        self._depth -= 1
        if self._take() != ")":
            raise UnsupportedPatternError("unbalanced parenthesis")
        return fragment

    def _consume(self, test: Test) -> _Fragment:
        start, end = self._automaton.state(test), self._automaton.state()
        self._automaton.join(start, end)
        return start, end

    def _assert(self, assertion: Assertion) -> _Fragment:
        start, end = self._automaton.state(), self._automaton.state()
        self._automaton.join(start, end, assertion)
        return start, end

    def _escaped(self) -> _Fragment:
        if self._peek() in {"b", "B"}:
            wanted = self._take() == "b"
            return self._assert(lambda name, index: _at_word_edge(name, index) == wanted)
        if self._peek() in set("123456789k"):
            raise UnsupportedPatternError("back reference")
        return self._consume(self._escape())

    def _escape(self) -> Test:
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char in "pP":
            return self._property(wanted=char == "p")
        if char in "xuc":
            return _equals(self._coded(char))
        return _equals(_CONTROLS.get(char, char))

    def _property(self, wanted: bool) -> Test:
        found = re.compile(r"\{(?:gc=|General_Category=)?(\w+)\}").match(self._pattern, self._at)
        if found is None or found[1] not in _CATEGORIES:
            raise UnsupportedPatternError("unknown property")
        self._at = found.end()
        category = _CATEGORIES[found[1]]
        return lambda other: unicodedata.category(other).startswith(category) == wanted

    def _coded(self, kind: str) -> str:
        found = _CODES[kind].match(self._pattern, self._at)
        if found is None:
            return kind
        self._at = found.end()
        if kind == "c":
            return chr(ord(found[0]) % 32)
        code = int(found[0].strip("{}"), 16)
        if code > 0x10FFFF:
            raise UnsupportedPatternError("no such character")
        return chr(code)

    def _character_class(self) -> Test:
        negated = self._peek() == "^"
        self._at += negated
        tests: list[Test] = []
        while self._peek() != "]":
            tests.append(self._range())
        self._at += 1
        return lambda other: any(test(other) for test in tests) != negated

    def _range(self) -> Test:
        low, test = self._member()
        if self._peek() != "-" or self._pattern[self._at + 1 : self._at + 2] in {"]", ""}:
            return test
        self._at += 1
        high, other = self._member()
        if low is None or high is None:
            return lambda char: test(char) or char == "-" or other(char)
        return lambda char: low <= char <= high

    def _member(self) -> tuple[str | None, Test]:
        """One member of a class: its character, or None for a set of them, and its test."""
        char = self._take()
        if char != "\\":
            return char, _equals(char)
        if self._peek() == "b":
            self._at += 1
            return "\b", _equals("\b")
        if self._peek() in _SET_ESCAPES:
            return None, self._escape()
        letter = self._take()
        char = self._coded(letter) if letter in "xuc" else _CONTROLS.get(letter, letter)
        return char, _equals(char)


def _counts(found: re.Match[str]) -> tuple[int, int | None]:
    simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if found[1] in simple:
        return simple[found[1]]
    least = int(found[2])
    if found[3] is None:
        return least, least
    return least, int(found[4]) if found[4] else None


def _equals(char: str) -> Test:
    return lambda other: other == char


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _is_space(char: str) -> bool:
    return char in "\t\n\v\f\r\ufeff\u2028\u2029" or unicodedata.category(char) == "Zs"


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _at_word_edge(name: str, index: int) -> bool:
    before = index > 0 and _is_word(name[index - 1])
    after = index < len(name) and _is_word(name[index])
    return before != after


_CLASSES: dict[str, Test] = {
    "d": _is_digit,
    "D": lambda char: not _is_digit(char),
    "w": _is_word,
    "W": lambda char: not _is_word(char),
    "s": _is_space,
    "S": lambda char: not _is_space(char),
}
_SET_ESCAPES = frozenset("dDwWsSpP")
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}
_CODES = {
    "x": re.compile(r"[0-9A-Fa-f]{2}"),
    "u": re.compile(r"[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\}"),
    "c": re.compile(r"[A-Za-z]"),
}
_CATEGORIES = {
    **{name: name for name in ("L", "Lu", "Ll", "Lt", "Lm", "Lo", "N", "Nd", "Nl", "No")},
    **{name: name for name in ("P", "S", "Sm", "Sc", "Z", "Zs", "M", "Mn", "Mc", "C", "Cc")},
    "Letter": "L",
    "Uppercase_Letter": "Lu",
    "Lowercase_Letter": "Ll",
    "Number": "N",
}
