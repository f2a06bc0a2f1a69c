"""What OpenLineage calls a dataset or job, and what the ledger calls it. Pure.

After OpenLineage's naming rules: a topic is `kafka://HOST:PORT` and its name, a table in
PostgreSQL `postgres://HOST:PORT` and `DATABASE.SCHEMA.TABLE`, in MySQL `mysql://HOST:PORT` and
`DATABASE.TABLE`, a folder of Parquet files `file` and its path. SQLite and DuckDB have no rule:
named by their file, `sqlite://PATH`, `duckdb://PATH`, and `main.TABLE`.

In the ledger what is no topic is `NAMESPACE/NAME`, with `/` and `%` of the name escaped, so that
it can be taken apart again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

_KAFKA_PORT = 9092
_POSTGRES_PORT = 5432
_MYSQL_PORT = 3306
_FILES = "file"
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
    if "${" in target:
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        # declared, never opened: the connector's own run says what is wrong with it
        return None
    path = unquote(parts.path).lstrip("/")
    match parts.scheme:
        case "postgresql" | "postgres":
            name = f"{path.rstrip('/') or 'postgres'}.public.{table}"
            return Name(f"postgres://{_server(parts, _POSTGRES_PORT)}", name)
        case "mysql" | "mariadb":
            return Name(f"mysql://{_server(parts, _MYSQL_PORT)}", f"{path.rstrip('/')}.{table}")
        case "sqlite" | "sqlite3":
            return Name(f"sqlite:///{path}", f"main.{table}")
        case "duckdb":
            return Name(f"duckdb:///{path}", f"main.{table}")
        case "parquet" | "file+parquet":
            # the first slash is the URL's: three name a path from where the worker runs
            return Name(_FILES, f"{unquote(parts.path[1:]).rstrip('/')}/{table}")
    return None


def _server(parts: SplitResult, port: int) -> str:
    """Return `HOST:PORT` of a server's URL, which may have them as parameters."""
    asked = parse_qs(parts.query)
    host = parts.netloc.rpartition("@")[2] or asked.get("host", ["localhost"])[0]
    # a folder of a socket is an address of this machine
    host = "localhost" if host.startswith("/") else unquote(host)
    before, _, given = host.rpartition(":")
    if before and given.isdecimal():
        return host
    if before and not given.endswith("]"):
        # no number: opening the target says so
        host = before
    return f"{host}:{asked.get('port', [str(port)])[0]}"


def source_uri(name: Name) -> str:
    """Return where a dataset lies, as a URI by the letter of RFC 3986: a namespace need not be."""
    if name.namespace == _FILES:
        return f"{_FILES}:{'//' if name.name.startswith('/') else ''}{quote(name.name)}"
    scheme, _, rest = name.namespace.partition("://")
    server, slash, path = rest.partition("/")
    return f"{scheme}://{quote(server, safe='[]:,;@')}{slash}{quote(path)}"
