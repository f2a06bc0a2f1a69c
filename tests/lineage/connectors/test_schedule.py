"""Runs that a definition schedules: started when due, once, and not while another stands."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, next_due, pause, start_due_runs
from lineage.connectors.errors import ScheduleInvalidError
from lineage.connectors.models import Connector, Run
from lineage.connectors.tasks import start_due_runs as job

SUNDAY = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "last", "due"),
    [
        ("1h", SUNDAY, SUNDAY + timedelta(hours=1)),
        ("7d", SUNDAY, SUNDAY + timedelta(days=7)),
        ("90s", SUNDAY, SUNDAY + timedelta(seconds=90)),
        ("0 3 * * 0", SUNDAY, SUNDAY + timedelta(days=7)),
        ("0 3 * * 0", SUNDAY - timedelta(minutes=1), SUNDAY),
        ("*/15 * * * *", SUNDAY + timedelta(minutes=16), SUNDAY + timedelta(minutes=30)),
        ("0 0 1 * *", SUNDAY, datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_when_it_is_due(schedule: str, last: datetime, due: datetime) -> None:
    assert next_due(schedule, last) == due


@pytest.mark.parametrize("schedule", ["", "daily", "0h", "61 * * * *", "* * *", "1y"])
def test_what_is_no_schedule(schedule: str) -> None:
    with pytest.raises(ScheduleInvalidError):
        next_due(schedule, SUNDAY)


@pytest.mark.django_db
class TestStarting:
    @pytest.fixture(autouse=True)
    def _declared(self) -> None:
        ensure_cluster("local", "127.0.0.1:1")
        declared = {"name": "c", "topics": ["t"], "target": "sqlite:///c.db", "table": "t"}
        declare(declared)
        Connector.objects.update(
            definition=declared | {"schedule": {"regenerate": "1h", "unheard-of": "1h"}},
            declared_at=SUNDAY,
        )

    def test_once_and_again_an_hour_after_the_last(self) -> None:
        assert start_due_runs(SUNDAY + timedelta(minutes=59)) == []
        (run,) = start_due_runs(SUNDAY + timedelta(minutes=60))
        assert (run.kind, run.scheduled, run.state) == ("regenerate", True, "running")
        at = SUNDAY + timedelta(minutes=61)
        assert start_due_runs(at) == []
        Run.objects.update(state="failed", started_at=at)
        assert start_due_runs(at + timedelta(minutes=59)) == []
        assert len(start_due_runs(at + timedelta(minutes=60))) == 1

    def test_not_while_paused_nor_beside_another_run(self) -> None:
        pause("c")
        assert start_due_runs(SUNDAY + timedelta(days=1)) == []
        Connector.objects.update(state="live")
        Run.objects.create(connector=Connector.objects.get(), kind="replay")
        assert start_due_runs(SUNDAY + timedelta(days=1)) == []

    def test_what_cannot_be_read_starts_nothing(self) -> None:
        connector = Connector.objects.get()
        Connector.objects.update(
            definition=connector.definition | {"schedule": {"regenerate": "daily"}}
        )
        assert start_due_runs(SUNDAY + timedelta(days=1)) == []

    def test_the_job_of_the_schedule_does_it(self) -> None:
        job()
        assert Run.objects.get().scheduled
