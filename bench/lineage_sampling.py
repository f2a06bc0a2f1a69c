"""What a sample costs on 10,000 topics, 40,000 partitions and 2,000 groups, and a steady one.

    python -m bench.lineage_sampling FOLDER     (made and filled the first time: some minutes)

Between two steady samples a twentieth of the groups commits and twenty writers start. The sampling
process's own computing is what counts; the brokers' is told apart, and what the clock says depends
on what else the machine does.
"""

import os
import resource
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import django
import psutil

PERIOD, STEADY = 30.0, 4


def _count_requests(counter: Counter[str]) -> None:
    """Count what goes out, by the kind of request."""
    from kafka.net.manager import KafkaConnectionManager

    send = KafkaConnectionManager.send

    def counted(self: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        kind = type(getattr(request, "_request", request)).__name__
        counter[kind] += 1
        return send(self, request, *arguments, **named)

    KafkaConnectionManager.send = counted


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
    requests: Counter[str] = Counter()
    _count_requests(requests)
    with large_cluster(folder) as (connection, brokers), live_members(connection):
        cluster = Cluster.objects.create(name="b", bootstrap_servers=connection.bootstrap_servers)
        servers = [psutil.Process(pid) for pid in brokers]
        with Watch(cluster, timeout=60) as watch:
            _sample(0, watch, servers, requests)
            for number in range(1, STEADY + 2):
                commit(connection, range(number, GROUPS, 20), 1 + number)
                list(map(partial(write, connection), range(20)))
                _sample(number, watch, servers, requests)


def _sample(number: int, watch: Any, servers: list[psutil.Process], requests: Counter[str]) -> None:
    def busy() -> float:
        return sum(it.cpu_times().user + it.cpu_times().system for it in servers)

    requests.clear()
    wall, own, brokers = time.perf_counter(), time.process_time(), busy()
    outcome = watch.sample()
    own = time.process_time() - own
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{'full' if not number else 'steady'} sample: {time.perf_counter() - wall:.1f} s,"
        f" {own:.2f} s of computing ({own / PERIOD:.1%} of a core at {PERIOD:.0f} s),"
        f" brokers {busy() - brokers:.2f} s; {outcome.observations:,} observations,"
        f" {outcome.opened:,} intervals opened; {sum(requests.values())} requests"
        f" ({', '.join(f'{count} {kind}' for kind, count in requests.most_common())});"
        f" peak memory {peak} MiB; failed {outcome.failed}",
        flush=True,
    )
    from lineage.models import Sampling

    spent = Sampling.objects.values_list("kind", "duration_ms", "message")
    print("   ", {kind: (ms, message[:60]) for kind, ms, message in spent}, flush=True)


if __name__ == "__main__":
    main()
