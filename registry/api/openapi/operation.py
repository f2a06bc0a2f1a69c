"""What is said of an operation of the registry."""

from dataclasses import dataclass

PAGE = ("offset", "limit")
"""The parameters by which a list is cut into pages."""


@dataclass(frozen=True)
class Operation:
    """One operation as clients see it; `answer` and `body` name shapes, an empty answer is 204."""

    id: str
    summary: str
    answer: str = ""
    parameters: tuple[str, ...] = ()
    body: str = ""
    codes: tuple[int, ...] = ()
    # operation that the answer leads to: its parameters, as runtime expressions
    links: tuple[str, ...] = ()
    twin: bool = True
