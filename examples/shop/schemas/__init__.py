"""The schemas of the shop's topics, as their one writer registers them."""

from pathlib import Path


def schema_text(name: str) -> str:
    """Return the text of one schema file of this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
