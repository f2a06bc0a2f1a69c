"""What a sample costs on 10,000 topics, 40,000 partitions and 2,000 groups, and a steady one.

    python -m bench.lineage_sampling FOLDER [SAMPLES]     (made and filled the first time: minutes)

Between two steady samples a twentieth of the groups commits and twenty writers start. The sampling
process's own computing is what counts; the brokers' is told apart, and what the clock says depends
on what else the machine does. What the ledger grows by in a day is the growth of the steady samples
(20 of them: each group has committed once), times as many as a day has periods. Each steady sample
reads a part of the past as well, as for hours after a first start on so many partitions.
"""

import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import django
import psutil

from bench.memory import peak

PERIOD, STEADY = 30.0, 20
_DAY = 86_400 / PERIOD


class Traffic:
    """What goes out and comes in: requests by their kind, and bytes."""

    def __init__(self) -> None:
        """Count from now on."""
        from kafka.net.manager import KafkaConnectionManager
        from kafka.protocol.parser import KafkaProtocol

        self.requests: Counter[str] = Counter()
        self.sent = self.received = 0
        send, write, read = (
            KafkaConnectionManager.send,
            KafkaProtocol.send_bytes,
            KafkaProtocol.receive_bytes,
        )

        def counted(manager: Any, request: Any, *arguments: Any, **named: Any) -> Any:
            self.requests[type(getattr(request, "_request", request)).__name__] += 1
            return send(manager, request, *arguments, **named)

        def written(protocol: Any) -> bytes:
            data: bytes = write(protocol)
            self.sent += len(data)
            return data

        def taken(protocol: Any, data: bytes) -> Any:
            self.received += len(data)
            return read(protocol, data)

        KafkaConnectionManager.send = counted
        KafkaProtocol.send_bytes, KafkaProtocol.receive_bytes = written, taken

    def clear(self) -> None:
        """Begin anew."""
        self.requests.clear()
        self.sent = self.received = 0

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.requests.most_common())
        return (
            f"{sum(self.requests.values())} requests ({kinds}),"
            f" {self.sent / 1e6:.2f} MB out, {self.received / 1e6:.2f} MB in"
        )


@dataclass(frozen=True)
class Ledger:
    """How large it is."""

    rows: dict[str, int]
    size: int

    @classmethod
    def of(cls, database: Path) -> Self:
        """Count; what is in the write-ahead log is moved into the file first."""
        from django.db import connection

        from lineage.models import Edge, Evidence, ProducerName, Proof

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        models = (Edge, Evidence, Proof, ProducerName)
        return cls({it.__name__: it.objects.count() for it in models}, database.stat().st_size)

    def tell_growth(self, now: "Ledger", samples: int) -> None:
        """Print what it grew by, and what that comes to in a day."""
        for name, count in now.rows.items():
            grown = (count - self.rows[name]) / samples
            print(f"  {name}: {count:,} rows, {grown:.1f} more a sample, {grown * _DAY:,.0f} a day")
        grown = (now.size - self.size) / samples
        print(
            f"  file: {now.size / 1e6:.1f} MB, {grown / 1e3:.1f} kB more a sample,"
            f" {grown * _DAY / 1e6:,.0f} MB a day before compaction"
        )


def main() -> None:
    """Print a line a sample."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "ledger.sqlite3"
    database.unlink(missing_ok=True)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "VAR_DIR": str(folder / "var"),
        "SAMPLE_SECONDS": str(PERIOD),
    }
    django.setup()
    from django.core.management import call_command

    from bench.lineage_cluster import GROUPS, commit, large_cluster, live_members, write
    from catalog.models import Cluster
    from lineage.sampling.run import Watch

    call_command("migrate", verbosity=0)
    steady = int(sys.argv[2]) if len(sys.argv) > 2 else STEADY
    traffic = Traffic()
    with large_cluster(folder) as (connection, brokers), live_members(connection):
        cluster = Cluster.objects.create(name="b", bootstrap_servers=connection.bootstrap_servers)
        servers = [psutil.Process(pid) for pid in brokers]
        with Watch(cluster, timeout=60) as watch:
            _sample(0, watch, servers, traffic)
            before, spent = Ledger.of(database), []
            for number in range(1, steady + 1):
                commit(connection, range(number % 20, GROUPS, 20), int(time.time()))
                list(map(partial(write, connection), range(20)))
                spent.append(_sample(number, watch, servers, traffic))
        share = statistics.median(spent) / PERIOD
        print(
            f"{steady} steady samples: {statistics.median(spent):.2f} s of computing ({share:.1%}"
        )
        print(f"  of a core) in the middle, {min(spent):.2f} to {max(spent):.2f} s")
        before.tell_growth(Ledger.of(database), steady)


def _sample(number: int, watch: Any, servers: list[psutil.Process], traffic: Traffic) -> float:
    """Take one and print what it cost; return the seconds of computing."""

    def busy() -> float:
        return sum(it.cpu_times().user + it.cpu_times().system for it in servers)

    traffic.clear()
    wall, own, brokers = time.perf_counter(), time.process_time(), busy()
    outcome = watch.sample()
    own = time.process_time() - own
    print(
        f"{'full' if not number else 'steady'} sample: {time.perf_counter() - wall:.1f} s,"
        f" {own:.2f} s of computing ({own / PERIOD:.1%} of a core at {PERIOD:.0f} s),"
        f" brokers {busy() - brokers:.2f} s; {outcome.observations:,} observations,"
        f" {outcome.opened:,} intervals opened; {traffic};"
        f" memory {psutil.Process().memory_info().rss >> 20} MiB, at most {peak()} MiB;"
        f" failed {outcome.failed}",
        flush=True,
    )
    from lineage.models import Sampling

    spent = Sampling.objects.values_list("kind", "duration_ms", "message")
    print("   ", {kind: (ms, message[:60]) for kind, ms, message in spent}, flush=True)
    return own


if __name__ == "__main__":
    main()
