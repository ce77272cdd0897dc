"""A line to the database that carries a COMMIT there, and loses the answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sandbox.ports import LOOPBACK

CHUNK = 65_536


class LossyLine:
    """Forwards connections, and counts the messages; `lose(n)` loses the answer to the n-th COMMIT from now, or to
    another statement than that, and its connection with it."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server((LOOPBACK, 0))
        self._until_lost = 0
        self._of = b""
        self.lost = 0
        self.messages = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def lose(self, nth: int, of: bytes = b"COMMIT") -> None:
        self._of, self._until_lost = of, nth

    def run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        hang_up(self._listener)

    def _carry(self, client: socket.socket) -> None:
        server = socket.create_connection((LOOPBACK, self._server))
        losing = threading.Event()
        back = threading.Thread(target=self._answer, args=(server, client, losing), daemon=True)
        back.start()
        with suppress(OSError):
            while said := client.recv(CHUNK):
                self.messages += 1
                if self._until_lost and self._of in said:
                    self._until_lost -= 1
                    if not self._until_lost:
                        losing.set()
                server.sendall(said)
        hang_up(server)

    def _answer(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while said := server.recv(CHUNK):
                if losing.is_set():
                    self.lost += 1
                    break
                client.sendall(said)
        hang_up(client)


def hang_up(line: socket.socket) -> None:
    """Close a connection, also one that another thread reads."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


@contextmanager
def lossy_line(server: int) -> Iterator[LossyLine]:
    line = LossyLine(server)
    thread = threading.Thread(target=line.run, daemon=True)
    thread.start()
    yield line
    line.close()
    thread.join(5)
