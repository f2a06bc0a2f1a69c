"""A run that was asked to stop ends cancelled, whatever keeps it from stopping by itself."""

import socket
import time
from pathlib import Path
from threading import Event

import pytest

from catalog.actions import ensure_cluster
from lineage.connectors.actions import cancel, declare, find_run, regenerate
from lineage.connectors.building import execute
from lineage.connectors.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def run_without_broker(folder: Path, asked: bool, broker: str = "127.0.0.1:1") -> Run:
    """Execute a run while no broker answers; somebody asked it to stop meanwhile, or not."""
    ensure_cluster("local", broker)
    target = f"sqlite:///{folder / 'copy.sqlite3'}"
    declare({"name": "c", "topics": ["orders"], "target": target, "table": "orders"})
    run = regenerate("c")
    Run.objects.filter(pk=run.pk).update(worker="it")
    if asked:
        cancel(run)
    execute(run, "it", Event())
    return find_run(run.pk)


def test_an_error_after_the_request_is_no_failure(tmp_path: Path) -> None:
    # as a frozen broker does, the kernel takes the connection and nobody answers
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        run = run_without_broker(tmp_path, True, f"127.0.0.1:{silent.getsockname()[1]}")
    assert (run.state, run.message) == ("cancelled", "cancelled")
    assert run.finished_at is not None
    assert any(line["message"].startswith("ended by: ") for line in run.log)
    assert time.monotonic() - began < 30


def test_the_same_error_unasked_is_a_failure(tmp_path: Path) -> None:
    run = run_without_broker(tmp_path, asked=False)
    assert run.state == "failed"
    assert run.message not in {"", "cancelled"}
