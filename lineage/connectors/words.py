"""Words for what runs report. Pure."""


def numbered(number: int, noun: str) -> str:
    """Say `1 row`, `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
