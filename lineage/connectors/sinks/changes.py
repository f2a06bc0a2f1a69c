"""What becomes of a table's columns when its layout widens. Pure."""

from lineage.connectors.columns import Column, Layout


def changed(held: Layout, wider: Layout) -> list[Column]:
    """Return the columns that a layout has already and that get another type."""
    return [
        after for before, after in zip(held.columns, wider.columns, strict=False) if before != after
    ]
