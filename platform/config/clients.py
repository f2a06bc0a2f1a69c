"""Security of clusters, from client property files as Kafka's own tools take them.

A file names the addresses it is for, so its secrets go there and nowhere else, whatever cluster
somebody declares. Nothing of it is stored in the database, or shown.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from config.env import SettingInvalidError

_ADDRESSES = "bootstrap.servers"
_ENVIRONMENT = re.compile(r"\$\{env:(\w+)\}")
# those of a connection, in librdkafka's names; broker.connection refuses others as well
ALLOWED = frozenset({
    "security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password",
    "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password",
})  # fmt: skip

Security = Mapping[frozenset[str], Mapping[str, str]]


def addresses_of(servers: str) -> frozenset[str]:
    """Return the addresses of a list `host:port,…`, in whatever order it has them."""
    return frozenset(it.strip() for it in servers.split(",") if it.strip())


def read_security(files: Iterable[str]) -> Security:
    """Return security settings by the addresses they are for. Raises SettingInvalidError."""
    found: dict[frozenset[str], Mapping[str, str]] = {}
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise _invalid(file, f"cannot be read: {error}") from None
        values = _properties(file, text)
        addresses = addresses_of(values.pop(_ADDRESSES, ""))
        if not addresses:
            raise _invalid(file, f"does not say {_ADDRESSES}: the cluster that it is for")
        if refused := sorted(values.keys() - ALLOWED):
            raise _invalid(file, f"has what is no setting of a connection: {', '.join(refused)}")
        found[addresses] = values
    return found


def _properties(file: str, text: str) -> dict[str, str]:
    """Read `name=value` lines; `${env:NAME}` stands for an environment variable (KIP-887)."""

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise _invalid(file, f"names an environment variable that is not set: {match[1]}")
        return os.environ[match[1]]

    found = {}
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith(("#", "!")):
            name, _, value = line.partition("=")
            found[name.strip()] = _ENVIRONMENT.sub(value_of, value.strip())
    return found


def _invalid(file: str, why: str) -> SettingInvalidError:
    return SettingInvalidError(f"KAFKA_CLIENT_FILES: {file} {why}")
