"""How the tables of copies are named, whatever they are written to, and where they say they lie."""

import pytest

from lineage.openlineage.naming import Name, source_uri, table_name
from tests.lineage.openlineage.specification import strict


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("mysql://me:se@cret@db/shop", Name("mysql://db:3306", "shop.t")),
        ("mariadb://me@db:3307/shop?ssl_ca=/ca.pem", Name("mysql://db:3307", "shop.t")),
        ("duckdb:////data/a%20b.duckdb?threads=2", Name("duckdb:///data/a b.duckdb", "main.t")),
        ("parquet:////data/lake?keep=60", Name("file", "/data/lake/t")),
        ("file+parquet:////data/lake/", Name("file", "/data/lake/t")),
        ("postgresql://[::1]/shop", Name("postgres://[::1]:5432", "shop.public.t")),
        ("postgresql://[oops/shop", None),
    ],
)
def test_a_table_is_named_as_its_kind_is(target: str, name: Name | None) -> None:
    assert table_name(target, "t") == name


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        (Name("kafka://[::1]:9092", "orders"), "kafka://[::1]:9092"),
        (Name("postgres://db:5432", "shop.public.t"), "postgres://db:5432"),
        (Name("sqlite:///a b/50% [x]ä.db", "main.t"), "sqlite:///a%20b/50%25%20%5Bx%5D%C3%A4.db"),
        (Name("file", "/data/a b/t"), "file:///data/a%20b/t"),
    ],
)
def test_where_it_lies_is_a_uri(name: Name, uri: str) -> None:
    assert source_uri(name) == uri
    assert strict.conforms(uri, "uri")


@pytest.mark.parametrize("text", ["sqlite:///a b", "kafka", "x://[oops", "a:%zz", "sqlite:///[x]"])
def test_what_is_no_uri_is_told_apart(text: str) -> None:
    assert not strict.conforms(text, "uri")
