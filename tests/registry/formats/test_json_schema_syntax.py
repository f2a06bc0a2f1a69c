"""Patterns that no dialect of regular expressions reads, and those that one of them does."""

import time

import pytest

from registry.formats.json_schema.syntax import fault

BROKEN = [
    "(", "(a", "a)", "[", "[a", "[a-", "[z-a]", "*a", "+", "?", "a|*", "(*a)", "a**", "a+??",
    "{2}", "a{3,1}", "\\", "a\\", "(?", "[\\]", "a{1" + "0" * 50 + ",9}",
]  # fmt: skip
READ = [
    "", "a", "^a+$", "[]", "[]a]", "[^]", "[a-z0-9_.-]+", "[\\]]", "[\\w-.]", "[a\\-z]", "[+-9]",
    "a*?", "a*+", "a{1,3}?", "a{2}{3}", "a{,3}", "{", "}", "]", "(?:a)", "(?=a)*", "(?!a)b",
    "(?<=x)a", "(?<n>a)\\k<n>", "(?i)a", "\\p{L}+", "\\\\", "()", "(|a)", "^*", "[[:alpha:]]",
    "[a&&[^b]]", "\\Q(\\E", "(?#()a", "^(?!.*\\.\\.)[a-z]$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", BROKEN)
def test_what_no_dialect_reads_is_at_fault(pattern: str) -> None:
    assert fault(pattern)


@pytest.mark.parametrize("pattern", READ)
def test_what_some_dialect_reads_is_not(pattern: str) -> None:
    assert fault(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(" * 200_000, "[" * 200_000, "[a" * 100_000, "a{" * 100_000, "(?" * 100_000]
)
def test_long_patterns_take_one_pass(pattern: str) -> None:
    start = time.process_time()
    fault(pattern)
    assert time.process_time() - start < 1
