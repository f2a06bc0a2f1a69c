"""The five services as commands for a supervisor; imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One service: its name and the module that `python -m` runs."""

    name: str
    module: str


PROCESSES = tuple(
    Process(name, f"examples.shop.{name}")
    for name in ("stock", "orders", "payments", "shipments", "email")
)
