"""The scenario's cast: starts real processes, restarts and kills them, and knows what is true."""

import subprocess
import sys
from pathlib import Path
from typing import Self
from uuid import uuid4

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import VERSION
from broker.lifeline import tied
from tests.registry.differential.java import compile_java

HERE = Path(__file__).parent
TOPICS = (
    "orders", "invoices", "audit", "shipments", "lookup", "enriched", "totals", "mapped",
)  # fmt: skip
JAVA = ("order-service", "billing", "enricher", "totals", "mapper")
PYTHON = ("legacy", "lookup", "shipping", "classic", "ghost", "simple", "share")
BY_PRODUCT = "enricher-by-product-repartition"
LOOKUP_LOG = "enricher-lookup-store-changelog"
COUNTS_LOG = "totals-counts-changelog"
COUNTS_BY = "totals-counts-repartition"


class Company:
    """Processes by the name of their actor; several Java actors may share one process."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.servers = connection.bootstrap_servers
        self.mark = uuid4().hex[:8]
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        endpoint = f"org.apache.kafka:kafka-streams:{VERSION}"
        self._java = compile_java(HERE / "Actors.java", endpoint, folder)
        create_topics(connection, [NewTopic(self.named(it), 3) for it in TOPICS])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.wait()

    def named(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def start(self, actor: str, *, as_instance: str = "") -> None:
        """Start an actor, or several Java ones (joined by `+`) in one process."""
        name = as_instance or actor
        actors = actor.split("+")
        if actors[0] in JAVA:
            state = self.folder / f"state-{uuid4().hex[:6]}"
            command = [
                self._java[0], "-Xmx160m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                f"-Dstate.dir={state}", *self._java[2:], self.servers, self.mark, *actors,
            ]  # fmt: skip
        else:
            command = [sys.executable, str(HERE / "actor.py"), self.servers, self.mark, actor]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                tied(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def end(self, actor: str, *, kill: bool = False) -> None:
        """Stop in order, or kill."""
        process = self.running.pop(actor)
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(20)

    def dead(self) -> list[str]:
        """Return those that ended by themselves: a fault of the scenario."""
        return [name for name, process in self.running.items() if process.poll() is not None]
