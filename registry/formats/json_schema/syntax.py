"""Is a pattern a regular expression in anybody's dialect?

ECMA-262 is what JSON Schema asks for and java.util.regex what Confluent's server reads with: only
what both refuse is a fault. One pass, and no engine that a stranger's pattern could keep busy.
"""

import re

# Quoting, comments and free spacing give parentheses another meaning: Java's dialect, not judged.
_JAVA_ONLY = re.compile(r"\\Q|\(\?#|\(\?[a-zA-Z]*x")
_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_CLASS = re.compile(r"\[\^?((?:\\.|[^\]\\])*)\]", re.DOTALL)
_RANGE = re.compile(r"\\.|([^\\-])-([^\\\]])|.", re.DOTALL)


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern in every dialect; None when nothing is."""
    if _JAVA_ONLY.search(pattern):
        return None
    return _Scanner(pattern).scan()


class _Scanner:
    """Walks over a pattern, minding what a quantifier would repeat."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._open = 0
        self._repeatable = False
        # A quantifier was just read: `?` or `+` after it makes it lazy or possessive.
        self._quantified = False

    def scan(self) -> str | None:
        while self._at < len(self._pattern):
            found = self._step(self._pattern[self._at])
            if found is not None:
                return found or None
        return "a group is not closed" if self._open else None

    def _step(self, char: str) -> str | None:
        """Past one element: its fault, "" where the dialects part ways, or None to go on."""
        if char in "*+?":
            return self._quantifier(char)
        if char == "{" and (count := _COUNT.match(self._pattern, self._at)):
            return self._count(count)
        if char == "[":
            return self._character_class()
        self._at += 1
        self._quantified = False
        self._repeatable = char not in "|("
        if char == "\\":
            self._at += 1
            return "ends in a backslash" if self._at > len(self._pattern) else None
        if char == "(":
            self._open += 1
            self._at += self._pattern.startswith("?", self._at)
        if char == ")":
            self._open -= 1
        return "unbalanced parenthesis" if self._open < 0 else None

    def _quantifier(self, char: str) -> str | None:
        self._at += 1
        if self._quantified and char in "+?":
            self._quantified = False
            return None
        if not self._repeatable:
            return f"nothing to repeat before {char}"
        self._repeatable, self._quantified = False, True
        return None

    def _count(self, count: re.Match[str]) -> str | None:
        self._at = count.end()
        if not self._repeatable and not self._quantified:
            return "nothing to repeat before {"
        self._quantified = True
        self._repeatable = False
        least, most = count[1], count[2] or count[1]
        return "a count's bounds are reversed" if _number(least) > _number(most) else None

    def _character_class(self) -> str | None:
        found = _CLASS.match(self._pattern, self._at)
        if found is None:
            return "a character class is not closed"
        if not found[1] or "[" in found[1] or "&&" in found[1]:
            return ""
        self._at = found.end()
        self._repeatable, self._quantified = True, False
        ranges = (each for each in _RANGE.finditer(found[1]) if each[1] is not None)
        return next((f"range {each[0]} is reversed" for each in ranges if each[1] > each[2]), None)


def _number(digits: str) -> tuple[int, str]:
    """Digits in the order of their value, however many there are."""
    plain = digits.lstrip("0")
    return len(plain), plain
