"""`manage.py connectors`: what it prints, and its exit codes."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, describe_connector, find_connector
from lineage.connectors.copying import note_generation
from lineage.connectors.models import Connector, Run
from lineage.connectors.sinks.contract import Live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _declared() -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare({"name": "c", "topics": ["t"], "target": "sqlite:///c.db", "table": "t"})


def said(*words: str) -> str:
    out = StringIO()
    call_command("connectors", *words, stdout=out)
    return out.getvalue()


def told(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def refused(*words: str) -> CommandError:
    with pytest.raises(CommandError) as found:
        said(*words)
    return found.value


def test_status_for_people_and_for_programs() -> None:
    Connector.objects.update(
        state="stopped", lag=1200, message="[gone]: regenerate", trouble="offset-gone"
    )
    shown = said("status")
    assert "1,200" in shown
    assert "c: [gone]: regenerate" in shown
    assert "retention" in shown
    assert "No worker is alive" in shown
    (one,) = told("status")
    assert (one["name"], one["state"], one["trouble"]) == ("c", "stopped", "offset-gone")
    assert told("status", "c") == [one]
    assert refused("status", "none").returncode == 2


def test_status_fails_on_what_it_is_told_to() -> None:
    assert said("status", "--fail-on", "trouble")
    Connector.objects.update(trouble="sink-unavailable", retrying=True, message="away")
    assert said("status", "--fail-on", "stopped")
    assert refused("status", "--fail-on", "trouble").returncode == 1
    Connector.objects.update(state="stopped")
    assert refused("status", "--fail-on", "stopped").returncode == 1


def test_pause_and_resume() -> None:
    assert said("pause", "c") == "c is paused\n"
    assert told("resume", "c")["state"] == "starting"
    assert refused("pause", "none").returncode == 2


def test_a_run_is_left_to_a_worker_or_refused() -> None:
    run = told("regenerate", "c", "--no-wait")
    assert (run["kind"], run["state"]) == ("regenerate", "running")
    assert refused("regenerate", "c").returncode == 2
    Run.objects.update(state="failed")
    assert "keeps no generation" in str(refused("rollback", "c"))


def test_a_rollback_is_carried_out_here_where_no_worker_is_alive(tmp_path: Any) -> None:
    Connector.objects.update(target=f"sqlite:///{tmp_path / 'c.db'}")
    for number in (1, 2):
        note_generation(find_connector("c"), Live(number, "t", None))
    failed = refused("rollback", "c")
    assert failed.returncode == 1
    assert "no generation is kept" in str(failed)
    assert describe_connector("c").running is None


def test_the_quarantine_and_a_replay_of_chosen_records() -> None:
    assert refused("replay", "c").returncode == 2
    find_connector("c").quarantine.create(topic="t", partition=0, offset=7, key="k", reason="odd")
    assert "t/0@7" in said("quarantine", "c")
    (row,) = told("quarantine", "c")
    assert (row["offset"], row["reason"]) == (7, "odd")
    assert refused("replay", "c", "--record", "t:0:7").returncode == 2
    assert refused("replay", "c", "--record", "t/0@8").returncode == 2
    assert told("replay", "c", "--record", "t/0@7", "--no-wait")["kind"] == "replay"
