"""A topic of one partition and a connector that copies it in this process, when told to."""

import json
import threading
import uuid
from dataclasses import dataclass, field

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.produce import RecordWriter
from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, find_connector, find_run
from lineage.connectors.building import execute
from lineage.connectors.models import Run
from lineage.connectors.sessions import live_engine, opened
from registry.actions import Submission, register
from tests.lineage.connectors.orders import ORDER, copied, encode

_AT = 1_700_000_000_000


@dataclass
class Scene:
    """A topic of one partition, and a connector that copies it when told to."""

    kafka: Connection
    target: str
    topic: str = field(default_factory=lambda: f"runs-{uuid.uuid4().hex[:8]}")
    schema_id: int = 0

    def __post_init__(self) -> None:
        create_topics(self.kafka, [NewTopic(self.topic, 1, 1, {})])
        self.writer = RecordWriter(self.kafka)
        ensure_cluster("local", self.kafka.bootstrap_servers)
        declare({
            "name": self.topic,
            "topics": [self.topic],
            "target": self.target,
            "table": "orders",
        })

    def know(self) -> None:
        self.schema_id = register(f"{self.topic}-value", Submission(json.dumps(ORDER))).schema.id

    def write(self, key: str, amount: int | None, note: str | None = None, frame: int = 0) -> None:
        value = {"amount": amount, "note": note, "at": _AT}
        raw = None if amount is None else encode(ORDER, frame or self.schema_id, value)
        self.writer.write(self.topic, key.encode(), raw)
        self.writer.flush()

    def copy(self) -> None:
        """Copy live up to the end of the log."""
        with opened(find_connector(self.topic), f"test.{uuid.uuid4()}") as session:
            engine = live_engine(session)
            while not session.reader.ended:
                engine.step(0.2)

    def rows(self) -> dict[str, int]:
        return {key: amount for key, (amount, _) in copied(self.target).items()}

    def left_out(self) -> dict[int, str]:
        return {one.offset: one.reason for one in find_connector(self.topic).quarantine.all()}


def carried_out(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(worker="test")
    execute(run, "test", threading.Event())
    return find_run(run.pk)
