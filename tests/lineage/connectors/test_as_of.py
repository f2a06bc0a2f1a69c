"""The name of a copy as of an instant."""

from datetime import UTC, datetime, timedelta, timezone

from lineage.connectors.as_of import table_as_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_the_name_tells_the_instant_in_utc_and_fits() -> None:
    assert table_as_of("orders", NOON) == "orders__asof_20261125T120000Z"
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert table_as_of("orders", east) == table_as_of("orders", NOON)
    long, other = table_as_of("a" * 50, NOON), table_as_of("a" * 49 + "b", NOON)
    assert long != other
    assert max(len(long), len(other)) <= 63
