"""The guide to operating copies names what there is, and nothing else."""

import re
from pathlib import Path
from typing import Any

from django.core.management import load_command_class
from django.urls import get_resolver

from broker import errors as broker_errors
from broker.consume import OffsetGoneError
from lineage.connectors import errors
from lineage.connectors.remedies import REMEDIES

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "operating.md").read_text()


def test_every_verb_of_the_command_is_there() -> None:
    parser = load_command_class("lineage.connectors", "connectors").create_parser("manage.py", "x")
    verbs = next(it.choices for it in parser._actions if it.dest == "verb")
    assert verbs is not None
    documented = set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))
    assert set(verbs) <= documented


def test_every_address_it_names_is_there() -> None:
    known = {
        str(route).split("<str:name>")[-1]
        for route in re.findall(r"connectors/<str:name>[\w/-]*", str(_routes()))
    }
    for tail in re.findall(r"`(?:GET|POST) …(/[\w/]+)`", GUIDE):
        assert tail in known, tail


def _routes() -> list[str]:
    found: list[str] = []

    def walk(patterns: Any, prefix: str) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, path)
            else:
                found.append(path)

    walk(get_resolver().url_patterns, "")
    return found


def test_what_to_do_is_what_the_code_says() -> None:
    rows = dict(
        re.findall(r"^\| `([\w-]+)` \| (.+) \|$", GUIDE.split("## What stopped")[1], re.MULTILINE)
    )
    assert rows == REMEDIES


def test_every_trouble_is_the_code_of_an_error() -> None:
    codes = {
        value.code
        for module in (errors, broker_errors)
        for value in vars(module).values()
        if isinstance(value, type) and hasattr(value, "code")
    }
    assert set(REMEDIES) <= codes | {OffsetGoneError.code}
