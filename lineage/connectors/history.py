"""Keeps the view of a history up with its table: columns come, and generations go. Pure."""

import logging

from lineage.connectors.columns import Layout
from lineage.connectors.definition import Definition
from lineage.connectors.errors import SinkError
from lineage.connectors.sinks.contract import Live, Sink
from lineage.connectors.sinks.history_view import ShowsHistory

logger = logging.getLogger(__name__)


class HistoryView:
    """Makes the view of one copy whenever its table is another; nothing for other modes."""

    def __init__(self, definition: Definition, sink: Sink) -> None:
        shows = definition.mode == "history" and isinstance(sink, ShowsHistory)
        self._sink: ShowsHistory | None = sink if shows and isinstance(sink, ShowsHistory) else None
        self._shown: tuple[int, Layout] | None = None

    def follow(self, live: Live | None) -> None:
        """Make the view anew where generation or columns changed; a busy target is asked again."""
        if self._sink is None or live is None or live.layout is None:
            return
        now = live.number, live.layout
        if now == self._shown:
            return
        try:
            self._sink.show_history(live.table, live.layout)
        except SinkError as error:
            logger.warning("%s: its view of history is not renewed: %s", live.table, error)
            return
        self._shown = now
