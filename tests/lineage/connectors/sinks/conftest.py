"""The kinds that are extras of the product."""

from collections.abc import Iterator

import pytest

from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink


@pytest.fixture(params=["duckdb", pytest.param("mysql", marks=pytest.mark.mysql), "parquet"])
def extra_target(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_target")
    return url


@pytest.fixture
def extra_sink(extra_target: str) -> Iterator[Sink]:
    sink = open_sink(extra_target)
    yield sink
    sink.close()
