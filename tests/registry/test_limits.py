"""What is checked before parsing costs no more than reading the text once."""

import time

import pytest

from registry.errors import SchemaTooLargeError
from registry.formats.protobuf.tokens import tokenize
from registry.limits import check_size


@pytest.mark.parametrize(
    "text",
    ['"' + '\\"' * 500_000, '""' * 500_000, '"' * 1_000_000, '"\n' * 500_000, "\\" * 1_000_000],
)
def test_quotes_are_walked_once(text: str) -> None:
    began = time.thread_time()
    check_size(text)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("opening", ["", '"', '// "\n', '"a" ', "'"])
def test_no_quote_hides_the_brackets_after_its_line(opening: str) -> None:
    with pytest.raises(SchemaTooLargeError, match="nested deeper"):
        check_size(f"{opening}\n{'[' * 101}")


@pytest.mark.parametrize(
    "text", ['["]' * 40 + '"]' * 40, '{"a": "' + "[{" * 200 + '"}', r'"\"[' * 300]
)
def test_brackets_in_strings_do_not_count(text: str) -> None:
    check_size(text)


def test_comments_are_walked_once() -> None:
    began = time.thread_time()
    tokenize('syntax = "proto3"; message A {' + "/**/" * 200_000 + "}")
    assert time.thread_time() - began < 3


def test_a_comment_after_a_token_trails_it_on_its_line_alone() -> None:
    tokens = tokenize("a; /* one */ b; /* x\n */ // two\n c;\n// three\nd;")
    found = [(each.text, each.doc, each.trailing) for each in tokens]
    assert [each for each in found if each[1] or each[2]] == [
        (";", "", "one"),
        (";", "", "x"),
        ("c", "two", ""),
        ("d", "three", ""),
    ]
