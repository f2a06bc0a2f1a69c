"""docs/openlineage.md names what there is, and its example is an event."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.test import Client
from django.urls import resolve

from config import env
from lineage.edges import STRENGTH
from lineage.openlineage import errors
from lineage.openlineage.receive import EVIDENCE

ROOT = Path(settings.BASE_DIR)
DOC = (ROOT / "docs" / "openlineage.md").read_text()


def _leaves(kind: type[errors.OpenLineageError]) -> set[tuple[str, int]]:
    below = kind.__subclasses__()
    if not below:
        return {(kind.code, kind.http_status)}
    return set().union(*(_leaves(one) for one in below))


def test_every_code_that_a_client_can_meet_is_documented() -> None:
    documented = {
        (code, int(status))
        for code, status in re.findall(
            r"^\| `(openlineage-[a-z-]+)` \| (\d+) \|", DOC, re.MULTILINE
        )
    }
    assert documented == {it for it in _leaves(errors.OpenLineageError) if it[1] < 500}


def test_every_address_that_is_named_exists() -> None:
    named = re.findall(r"`(?:GET|POST) (/api/v1/[a-z/]+)`", DOC)
    assert len(named) == 3
    assert all(resolve(path) for path in named)


def test_every_setting_is_documented_and_exists() -> None:
    declared = {name for name in env.DECLARED if name.startswith("OPENLINEAGE_")}
    named = set(re.findall(r"OPENLINEAGE_[A-Z_]+", DOC))
    assert named <= declared
    assert declared - named == {"OPENLINEAGE_ENDPOINT"}


def test_the_command_exists() -> None:
    assert "manage.py openlineage emit --follow" in DOC
    assert get_commands()["openlineage"] == "lineage.openlineage"


def test_the_strength_of_the_evidence_is_what_is_said() -> None:
    assert f"({STRENGTH[EVIDENCE]:g})" in DOC


@pytest.mark.django_db
def test_the_example_is_accepted(client: Client) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    answer = client.post("/api/v1/lineage", example, content_type="application/json")
    assert answer.status_code == 201
    assert answer.json() == {"event": "RunEvent", "edges": 2, "fields": 0}
    assert json.loads(example)["run"]
