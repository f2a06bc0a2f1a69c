import pytest
from hypothesis import given
from hypothesis import strategies as st
from openlineage.client.naming.dataset import LocalFileSystem, MySQL

from lineage.connectors.sinks.kinds import KINDS
from lineage.openlineage.naming import Name, addresses, cluster_of, kafka_namespace, table_name

FILES = {kind for kind, known in KINDS.items() if known.example.split("://")[1].startswith("/")}


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_joined_name_can_be_taken_apart(namespace: str, name: str) -> None:
    assert Name.read(Name(namespace, name).joined()) == Name(namespace, name)


@pytest.mark.parametrize(
    ("servers", "namespace"),
    [
        ("broker:9093,other:9092", "kafka://broker:9093"),
        ("SASL_SSL://broker:9093", "kafka://broker:9093"),
        ("broker", "kafka://broker:9092"),
        ("[::1]:9092", "kafka://[::1]:9092"),
        ("[::1]", "kafka://[::1]:9092"),
    ],
)
def test_topics_are_in_the_namespace_of_their_first_broker(servers: str, namespace: str) -> None:
    assert kafka_namespace(servers) == namespace


@pytest.mark.parametrize("asked", ["two:9092", "TWO", "x:1,two:9092", "two:9092/path"])
def test_a_cluster_is_known_by_any_of_its_addresses(asked: str) -> None:
    clusters = {1: "one:9092", 2: "one:9093, two:9092"}
    assert cluster_of(Name(f"kafka://{asked}", "t"), clusters) == 2


def test_no_cluster_is_known_by_an_address_of_none() -> None:
    assert cluster_of(Name("kafka://three:9092", "t"), {1: "one:9092"}) is None
    assert cluster_of(Name("kafka://", "t"), {1: "one:9092"}) is None


def test_names_of_this_machine_are_one() -> None:
    assert addresses("localhost:9092") == addresses("127.0.0.1:9092") == addresses("[::1]:9092")


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("postgresql://me:se@cret@db:5433/shop", Name("postgres://db:5433", "shop.public.t")),
        ("postgresql://db/shop?password=x", Name("postgres://db:5432", "shop.public.t")),
        ("postgresql:///shop?host=/run/pg&port=5", Name("postgres://localhost:5", "shop.public.t")),
        ("sqlite:////data/copy.sqlite3", Name("sqlite:///data/copy.sqlite3", "main.t")),
        ("mysql://me:se%40cret@db:3307/shop?ssl_ca=/x", Name("mysql://db:3307", "shop.t")),
        ("mariadb://me@db/shop", Name("mysql://db:3306", "shop.t")),
        ("mysql:///shop?unix_socket=/run/my.sock", Name("mysql://localhost:3306", "shop.t")),
        ("mysql://me@[::1]:x/shop", Name("mysql://[::1]:3306", "shop.t")),
        (
            "duckdb:////data/my%20shop.duckdb?threads=2",
            Name("duckdb:///data/my shop.duckdb", "main.t"),
        ),
        ("parquet:////copies/shop?keep=5", Name("file", "/copies/shop/t")),
        ("file+parquet:///copies/shop/", Name("file", "copies/shop/t")),
        ("${TARGET}", None),
        ("mystery://x", None),
    ],
)
def test_a_copys_table_is_named_without_its_secrets(target: str, name: Name | None) -> None:
    assert table_name(target, "t") == name


def test_tables_are_named_as_openlineages_own_client_names_them() -> None:
    mysql = table_name("mysql://me:x@db:3307/shop", "orders")
    theirs = MySQL("db", "3307", "shop", "orders")
    assert mysql == Name(theirs.get_namespace(), theirs.get_name())
    files = LocalFileSystem("/copies/shop/orders")
    assert table_name("parquet:////copies/shop", "orders") == Name(
        files.get_namespace(), files.get_name()
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_target_has_a_name(kind: str) -> None:
    name = table_name(f"{kind}://{'/' if kind in FILES else 'db'}/x", "t")
    assert name is not None
    assert Name.read(name.joined()) == name
