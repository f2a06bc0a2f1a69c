"""What OpenLineage calls a dataset or job, and what the ledger calls it. Pure.

After OpenLineage's naming rules: a topic is `kafka://HOST:PORT` and its name, a table in
PostgreSQL `postgres://HOST:PORT` and `DATABASE.SCHEMA.TABLE`, in MySQL `mysql://HOST:PORT` and
`DATABASE.TABLE`, a folder of files `file` and its path. SQLite and DuckDB have no rule: named by
their file, `sqlite://PATH` or `duckdb://PATH` and `main.TABLE`. In the ledger what is no topic is
`NAMESPACE/NAME`, with `/` and `%` of the name escaped, so that it can be taken apart again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

_KAFKA_PORT = 9092
_POSTGRES_PORT = 5432
_MYSQL_PORT = 3306
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})

Address = tuple[str, int]


@dataclass(frozen=True, order=True)
class Name:
    """A job or a dataset, as OpenLineage names it."""

    namespace: str
    name: str

    def joined(self) -> str:
        """Return it as the ledger keeps it."""
        name = self.name.replace("%", "%25").replace("/", "%2F")
        return f"{self.namespace}/{name}"

    @classmethod
    def read(cls, joined: str) -> "Name":
        """Take apart what `joined` made."""
        namespace, _, name = joined.rpartition("/")
        return cls(namespace, unquote(name))

    def as_json(self) -> dict[str, str]:
        """Return it as events hold it."""
        return {"namespace": self.namespace, "name": self.name}


def addresses(servers: str) -> frozenset[Address]:
    """Return the hosts and ports of `HOST:PORT,…`; names of this very machine are one."""
    return frozenset(_address(part) for part in servers.split(",") if part.strip())


def _address(text: str) -> Address:
    # a listener's protocol may stand in front: SASL_SSL://broker:9093
    text = text.strip().rpartition("://")[2].partition("/")[0]
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or len(port) > 5:
        host, port = text, ""
    host = host.strip("[]").lower()
    return "localhost" if host in _HERE else host, int(port or _KAFKA_PORT)


def kafka_namespace(servers: str) -> str:
    """Return the namespace of a cluster's topics: by the first of its bootstrap addresses."""
    first = servers.split(",", maxsplit=1)[0].strip().rpartition("://")[2]
    has_port = first.rpartition(":")[2].isdecimal() and not first.endswith("]")
    return f"kafka://{first}" if has_port else f"kafka://{first}:{_KAFKA_PORT}"


def is_topic(name: Name) -> bool:
    """Whether a dataset is a topic of Kafka."""
    return name.namespace.lower().startswith("kafka://")


def cluster_of(name: Name, clusters: Mapping[int, str]) -> int | None:
    """Return the cluster, of these by bootstrap servers, that shares an address with a topic."""
    asked = addresses(name.namespace[len("kafka://") :])
    for cluster, servers in clusters.items():
        if asked & addresses(servers):
            return cluster
    return None


def table_name(target: str, table: str) -> Name | None:
    """Return the dataset of a copy's table; `None` for a target that cannot be named yet.

    No user, password or parameter of the target gets into it.
    """
    parts = urlsplit(target)
    if "${" in target:
        return None
    if parts.scheme in {"postgresql", "postgres"}:
        place = parts.netloc.rpartition("@")[2]
        asked = parse_qs(parts.query)
        host = place or asked.get("host", ["localhost"])[0]
        # a folder of a socket is an address of this machine
        host = "localhost" if host.startswith("/") else unquote(host)
        if not host.rpartition(":")[2].isdecimal() or host.endswith("]"):
            host = f"{host}:{asked.get('port', [str(_POSTGRES_PORT)])[0]}"
        database = unquote(parts.path.strip("/")) or "postgres"
        return Name(f"postgres://{host}", f"{database}.public.{table}")
    if parts.scheme in {"mysql", "mariadb"}:
        return Name(f"mysql://{_host(parts)}", f"{unquote(parts.path.strip('/'))}.{table}")
    if parts.scheme in {"sqlite", "sqlite3", "duckdb"}:
        kind = "duckdb" if parts.scheme == "duckdb" else "sqlite"
        return Name(f"{kind}:///{unquote(parts.path).lstrip('/')}", f"main.{table}")
    if parts.scheme in {"parquet", "file+parquet"}:
        # the first slash is the URL's: three name a path from where the worker runs
        return Name("file", f"{unquote(parts.path[1:]).rstrip('/')}/{table}")
    return None


def _host(parts: SplitResult) -> str:
    """Return `HOST:PORT` of a MySQL server; one at a socket is of this machine."""
    host = unquote(parts.hostname or "localhost")
    host = f"[{host}]" if ":" in host else host
    try:
        return f"{host}:{parts.port or _MYSQL_PORT}"
    except ValueError:  # no number: opening the target says so
        return f"{host}:{_MYSQL_PORT}"
