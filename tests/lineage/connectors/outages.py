"""Ways to take things away: a wire that can be cut, a broker behind it, aborted transactions."""

import random
import socket
import threading
import uuid
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from confluent_kafka import Producer
from fastavro import parse_schema, schemaless_writer

from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from tests.lineage.connectors.orders import ORDER

_CHUNK = 65_536


class Wire:
    """Forwards a port of its own to another; while cut, nothing passes and nothing is refused."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self._whole = threading.Event()
        self._whole.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing pass, as when somebody pulls the cable."""
        self._whole.clear()

    def mend(self) -> None:
        """Let pass again."""
        self._whole.set()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._whole.wait()
        try:
            far = socket.create_connection(self.target)
        except OSError:
            near.close()
            return
        for here, there in ((near, far), (far, near)):
            threading.Thread(target=self._pass, args=(here, there), daemon=True).start()

    def _pass(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while data := here.recv(_CHUNK):
                self._whole.wait()
                there.sendall(data)
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class WiredKafka(EmbeddedKafka):
    """A broker that tells its clients to come by the wire."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        super().__init__(folder)
        self.wire = wire

    def _write_configuration(self) -> None:
        super()._write_configuration()
        assert self._ports is not None
        self.wire.target = ("127.0.0.1", self._ports[0])
        file = self.folder / "server.properties"
        plain = f"advertised.listeners=PLAINTEXT://127.0.0.1:{self._ports[0]}"
        text = file.read_text()
        assert plain in text
        file.write_text(
            text.replace(plain, f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.wire.port}")
        )

    @property
    def wired(self) -> Connection:
        """How it is reached by the wire."""
        return Connection(f"127.0.0.1:{self.wire.port}")


class Transactions:
    """Writes orders in transactions, and aborts most of them."""

    def __init__(self, kafka: Connection, topic: str, schema_id: int) -> None:
        self._topic = topic
        self._id = schema_id
        self._parsed = parse_schema(dict(ORDER))
        self._random = random.Random(2)
        self._producer = Producer(kafka.confluent(transactional_id=f"test-{uuid.uuid4().hex}"))
        self._producer.init_transactions(30)

    def write(self, amount: int, *, commit: bool, count: int = 20) -> None:
        """Write values and a tombstone or two; they count only if committed."""
        self._producer.begin_transaction()
        for _ in range(count):
            out = BytesIO()
            out.write(b"\x00" + self._id.to_bytes(4, "big"))
            schemaless_writer(out, self._parsed, {"amount": amount, "note": None, "at": 0})
            gone = self._random.random() < 0.1
            key = f"o-{self._random.randrange(2000)}".encode()
            self._producer.produce(self._topic, None if gone else out.getvalue(), key)
        self._producer.flush(30)
        if commit:
            self._producer.commit_transaction(30)
        else:
            self._producer.abort_transaction(30)
