"""What a service of the shop is told by its environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """Where Kafka and the registry are, where files go, and how busy the shop is."""

    bootstrap_servers: str
    registry_url: str
    var_dir: Path
    orders_per_second: float
    group_protocol: str | None

    @property
    def folder(self) -> Path:
        """The shop's own folder, made when it is missing."""
        folder = self.var_dir / "shop"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def read_setting() -> Setting:
    """Read the environment; raises ValueError for a value that cannot be used."""
    rate = float(os.environ.get("SHOP_ORDERS_PER_SECOND", "2"))
    if not 0 <= rate <= 10_000:
        raise ValueError("SHOP_ORDERS_PER_SECOND must be between 0 and 10000")
    protocol = os.environ.get("SHOP_GROUP_PROTOCOL") or None
    if protocol not in {None, "classic", "consumer"}:
        raise ValueError("SHOP_GROUP_PROTOCOL must be classic or consumer")
    return Setting(
        bootstrap_servers=os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
        registry_url=os.environ.get("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8080"),
        var_dir=Path(os.environ.get("VAR_DIR", "var")),
        orders_per_second=rate,
        group_protocol=protocol,
    )
