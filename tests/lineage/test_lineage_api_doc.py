"""docs/lineage-api.md names every operation, page, command, word and refusal there is."""

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

from config.openapi import describe
from lineage import errors, graph
from lineage.management.commands.lineage import Command

DOC = (Path(settings.BASE_DIR) / "docs" / "lineage-api.md").read_text()
# answered by a room of their own, and told there
ELSEWHERE = re.compile(
    r"/lineage/(impact|claims|fields|derivations|actor|permissions|batch|facets)"
)


def _first_cells(heading: str) -> set[str]:
    table = DOC.split(f"\n| {heading} |")[1].split("\n\n")[0]
    return {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in _quoted(row)
    }


def _quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_operation_is_named() -> None:
    there = {
        f"{method.upper()} {path}"
        for path, item in describe()["paths"].items()
        if path.startswith("/api/v1/lineage/") and not ELSEWHERE.search(path)
        for method in item
        if method in {"get", "post", "put", "delete"}
    }
    assert _first_cells("operation") == there


def test_every_page_that_is_named_is_there() -> None:
    for page in re.findall(r"\| `(/lineage[a-z/]*)` \|", DOC):
        assert resolve(page).func is not None


def test_every_parameter_of_the_questions_is_named() -> None:
    own = {
        *("source", "target", "node", "service"),  # what is asked about
        *("limit", "offset", "focus", "hops", "direction", "format"),
    }
    there = {
        parameter["name"]
        for path, item in describe()["paths"].items()
        if path.startswith("/api/v1/lineage/") and not ELSEWHERE.search(path)
        for parameter in item.get("get", {}).get("parameters", ())
    }
    assert _first_cells("parameter") == there - own


def test_the_words_are_those_of_the_code() -> None:
    assert _first_cells("orphan") == set(graph.ORPHAN_STATES)
    assert _first_cells("change") == set(graph.CHANGES)


def test_every_refusal_is_named() -> None:
    codes = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.LineageError)
    } - {errors.LineageError.code}
    assert codes <= _first_cells("code")


@pytest.mark.parametrize("line", re.findall(r"^python manage\.py lineage (.*)$", DOC, re.MULTILINE))
def test_commands_can_be_given_so(line: str) -> None:
    parser = Command().create_parser("manage.py", "lineage")
    assert parser.parse_args(shlex.split(line)).question


def test_every_command_is_named() -> None:
    parser = Command().create_parser("manage.py", "lineage")
    named = set(re.findall(r"`manage\.py lineage ([a-z]+)`", DOC))
    (questions,) = (it.choices for it in parser._actions if it.dest == "question")
    assert questions is not None
    assert named == set(questions)
