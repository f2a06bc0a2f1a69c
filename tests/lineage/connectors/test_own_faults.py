"""A run that ends by what nobody foresaw has failed, and stands in no other run's way."""

from threading import Event

import pytest

from catalog.actions import ensure_cluster
from lineage.connectors import kinds
from lineage.connectors.actions import declare, find_run, request_run
from lineage.connectors.building import Job, execute
from lineage.connectors.kinds import RunKind
from lineage.connectors.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_has_failed_and_the_next_one_may_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_job: Job) -> str:
        raise KeyError("ann@example.com")

    monkeypatch.setitem(kinds._KINDS, "odd", RunKind("odd", ("read",), breaks))
    ensure_cluster("local", "127.0.0.1:1")
    declare({"name": "c", "topics": ["t"], "target": "sqlite:///c.db", "table": "t"})
    run = request_run("c", "odd")
    Run.objects.filter(pk=run.pk).update(worker="test")
    with pytest.raises(KeyError):
        execute(run, "test", Event())
    run = find_run(run.pk)
    assert (run.state, "KeyError" in run.message) == ("failed", True)
    assert "ann" not in str((run.message, run.log))
    assert request_run("c", "odd").state == "running"
