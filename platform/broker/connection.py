"""How to reach one Kafka cluster, in the words of each client library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.errors import SecuritySettingError

# librdkafka's names. Nothing here can load a plugin or start a program: settings may come from a
# form or a declaration, so what is not listed is refused.
_TO_KAFKA_PYTHON = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
}
ALLOWED_SECURITY = frozenset(_TO_KAFKA_PYTHON)
_CLIENT_ID = "insideout"


def _quiet(*_: object) -> None:
    """Take librdkafka's error events: each call reports its own failure."""


@dataclass(frozen=True)
class Connection:
    """Addresses (`host:port,…`) and security of one cluster."""

    bootstrap_servers: str
    security: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refused = sorted(set(self.security) - ALLOWED_SECURITY)
        if refused:
            raise SecuritySettingError(f"not a setting of a connection: {', '.join(refused)}")

    def __repr__(self) -> str:
        """Name the cluster, never its secrets."""
        return f"Connection({self.bootstrap_servers!r})"

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The bootstrap servers as (host, port); Kafka's own port where none is given."""
        found = []
        for address in self.bootstrap_servers.split(","):
            host, _, port = address.strip().rpartition(":")
            found.append((host.strip("[]"), int(port)) if host else (port, 9092))
        return found

    def confluent(self, **extra: Any) -> dict[str, Any]:
        """Return a confluent-kafka configuration; `extra` overrides, its `_` read as `.`."""
        base: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": _CLIENT_ID,
            "error_cb": _quiet,
            "log_level": 2,
            **self.security,
        }
        named = {key if key == "error_cb" else key.replace("_", "."): extra[key] for key in extra}
        if "log.level" in named:
            named["log_level"] = named.pop("log.level")
        return base | named

    def kafka_python(self, **extra: Any) -> dict[str, Any]:
        """Return the keyword arguments of a kafka-python client; `extra` overrides."""
        base: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "client_id": _CLIENT_ID,
        }
        translated = {_TO_KAFKA_PYTHON[name]: value for name, value in self.security.items()}
        return base | translated | extra
