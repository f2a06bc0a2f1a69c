"""A target's URL as JDBC wants it, and the name under which Connect finds its password. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from lineage.connectors.errors import TargetInvalidError

_WHOLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NOT_IN_A_NAME = re.compile(r"[^A-Z0-9_]+")

# batches of inserts become one statement; text goes into uuid and json columns as into text
_DRIVERS = {
    "postgresql": ("postgresql", {"reWriteBatchedInserts": "true", "stringtype": "unspecified"}),
    "postgres": ("postgresql", {"reWriteBatchedInserts": "true", "stringtype": "unspecified"}),
    "mysql": ("mysql", {"rewriteBatchedStatements": "true", "connectionTimeZone": "UTC"}),
    "mariadb": ("mariadb", {"rewriteBatchedStatements": "true", "timezone": "UTC"}),
}
# what libpq and the JDBC driver call the same and mean the same
_SHARED = frozenset({"sslmode", "options"})


@dataclass(frozen=True)
class JdbcTarget:
    """Where Connect writes: `secret` names the variable with the password, never the password."""

    url: str
    username: str
    secret: str | None
    dropped: tuple[str, ...] = ()


def jdbc_target(name: str, declared: str, expand: Callable[[str], str]) -> JdbcTarget:
    """Return the JDBC form of a connector's target; raises TargetInvalidError.

    `expand` fills in `${NAME}`s. A password that is itself a `${NAME}` keeps that name, and need
    not be known here; one that is written out, or comes with the whole URL, gets one made of the
    URL's or connector's name.
    """
    password = _password(declared)
    asked = declared.replace(f":{password}@", ":-@", 1) if _WHOLE.fullmatch(password) else declared
    parts = urlsplit(expand(asked))
    driver = _DRIVERS.get(parts.scheme.lower())
    if driver is None:
        raise TargetInvalidError(
            f"connector {name}: Kafka Connect's JDBC sink has no database of the kind "
            f"{parts.scheme!r}; it writes to {', '.join(sorted(_DRIVERS))}"
        )
    database = parts.path.lstrip("/")
    host = _host(parts)
    if not host or not database:
        raise TargetInvalidError(
            f"connector {name}: Kafka Connect reaches a database by host, port and name only: "
            f"{parts.scheme}://USER:PASSWORD@HOST/NAME"
        )
    known = dict(parse_qsl(parts.query))
    shared = {key: value for key, value in known.items() if key in _SHARED}
    query = urlencode(driver[1] | shared, quote_via=quote)
    return JdbcTarget(
        f"jdbc:{driver[0]}://{host}/{database}?{query}",
        unquote(parts.username or ""),
        _secret(name, declared) if parts.password else None,
        tuple(sorted(set(known) - _SHARED)),
    )


def _host(parts: SplitResult) -> str:
    """Return host and port, without what stands before them."""
    return parts.netloc.rpartition("@")[2]


def _password(declared: str) -> str:
    return declared.partition("://")[2].rpartition("@")[0].partition(":")[2]


def _secret(name: str, declared: str) -> str:
    whole = _WHOLE.fullmatch(declared)
    if whole:
        return f"{whole[1]}_PASSWORD"
    variable = _WHOLE.fullmatch(_password(declared))
    if variable:
        return variable[1]
    return f"{_NOT_IN_A_NAME.sub('_', name.upper())}_PASSWORD"
