"""Which kinds of target there are, by the scheme of their URL. Pure: names, nothing imported.

To add a kind: a file that holds its class, and a line here (see docs/sinks.md).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class TargetKind:
    """Where a kind's class is found, what its URLs look like, and which extra installs its needs.

    `modules` are the packages that the extra brings, imported when such a target is opened.
    """

    example: str
    module: str
    sink: str
    extra: str = ""
    modules: tuple[str, ...] = ()


_SQLITE = TargetKind("sqlite:///PATH", "sqlite", "SqliteSink")
_POSTGRES = TargetKind("postgresql://…", "postgres", "PostgresSink")
_DUCKDB = TargetKind("duckdb:///PATH", "duckdb", "DuckdbSink", "duckdb", ("duckdb", "pyarrow"))
_MYSQL = TargetKind("mysql://…", "mysql", "MysqlSink", "mysql", ("pymysql",))
_PARQUET = TargetKind("parquet:///FOLDER", "parquet", "ParquetSink", "parquet", ("pyarrow",))

KINDS = {
    "sqlite": _SQLITE,
    "sqlite3": _SQLITE,
    "postgresql": _POSTGRES,
    "postgres": _POSTGRES,
    "duckdb": _DUCKDB,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "parquet": _PARQUET,
    "file+parquet": _PARQUET,
}
SCHEMES = tuple(KINDS)
"""The schemes that a target's URL may have."""


def examples() -> str:
    """Return one URL of each kind, as a sentence ends."""
    found = list(dict.fromkeys(kind.example for kind in KINDS.values()))
    return f"{', '.join(found[:-1])} or {found[-1]}"
