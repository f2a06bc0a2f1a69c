"""Words for what runs report. Pure."""


def numbered(number: int, noun: str, plural: str = "") -> str:
    """Say `1 row`, `1,200 rows`; or a plural that is given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
