"""What `manage.py run` says: one line a change of state, and a spinner where a person watches."""

import sys
import time

from rich.console import Console
from rich.markup import escape
from rich.status import Status

_WIDTH = 12


class Progress:
    """Prints `name  message` lines; on a terminal, work in progress is one moving line."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._begun = time.monotonic()

    def doing(self, name: str, message: str) -> None:
        """Say what is being done now."""
        if not self._console.is_terminal:
            self._print(name, message)
            return
        text = f"[bold]{escape(name):<{_WIDTH}}[/] {escape(message)} …"
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def done(self, name: str, message: str) -> None:
        """Say what has come about."""
        self.clear()
        self._print(name, message, "green")

    def warn(self, name: str, message: str) -> None:
        """Say what went wrong, yet does not end the run."""
        self.clear()
        self._print(name, message, "yellow")

    def announce(self, url: str) -> None:
        """Print the address to open."""
        self.clear()
        seconds = time.monotonic() - self._begun
        self._console.print(
            f"\n  [bold]Insideout is ready:[/] [bold cyan]{escape(url)}[/]"
            f"   ({seconds:.1f} s; Ctrl-C stops everything)\n"
        )

    def clear(self) -> None:
        """End the moving line."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _print(self, name: str, message: str, colour: str = "default") -> None:
        self._console.print(f"[{colour}]{escape(name):<{_WIDTH}}[/] {escape(message)}")
        sys.stdout.flush()
