"""Target databases: one contract, one file each."""

from urllib.parse import urlsplit

from lineage.connectors.errors import TargetInvalidError
from lineage.connectors.sinks.contract import Sink
from lineage.connectors.sinks.postgres import PostgresSink
from lineage.connectors.sinks.sqlite import SqliteSink


def open_sink(url: str) -> Sink:
    """Open the target that an expanded URL names; its scheme selects the kind."""
    match urlsplit(url).scheme:
        case "sqlite" | "sqlite3":
            return SqliteSink(url)
        case "postgresql" | "postgres":
            return PostgresSink(url)
        case scheme:
            raise TargetInvalidError(
                f"{scheme or 'no scheme'}: a target is sqlite:///PATH or postgresql://…"
            )
