"""Hearing an enqueuer's knock, where the connection can."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import psycopg
from sqlalchemy import Engine, text

from ledger.dispatch import BELL
from workers.wiring import KEPT_ALIVE

log = logging.getLogger(__name__)
PATIENCE = 2.0
"""Seconds for our own knock to come back."""
DEAF_FOR = 60.0
"""Seconds until a connection that carried no knock is tried again: another server may answer by then."""
LISTENED = 5.0  # seconds of listening between two looks whether to stop
OUR_OWN = text("SELECT pg_notify(:channel, '')")


class Knocks:
    """Listens on a connection of its own and tells `heard` of each knock, which is "queue:priority" or empty.

    A transaction pooler takes LISTEN and carries nothing: the server's session listens, and no client is tied to it. So
    a knock of our own is tried first, on a channel of its own, for what such a session hears later would be told to a
    client that did not ask. While `deaf`, whoever would be knocked at must look by itself.
    """

    def __init__(self, url: str, engine: Engine, heard: Callable[[str], None]) -> None:
        self._url = url
        self._engine = engine
        self._heard = heard
        self.deaf = True

    def hear(self, stopping: threading.Event) -> None:
        """Listen until told to stop; returns early, after a rest, where nothing can be heard."""
        with psycopg.connect(self._url, autocommit=True, prepare_threshold=None, **KEPT_ALIVE) as connection:
            if self._carries(connection):
                self._listen(connection, stopping)
                return
        log.info("dispatcher.deaf")
        stopping.wait(DEAF_FOR)

    def _listen(self, connection: psycopg.Connection, stopping: threading.Event) -> None:
        connection.execute(f"LISTEN {BELL}")
        self.deaf = False
        try:
            while not stopping.is_set():
                for knock in connection.notifies(timeout=LISTENED, stop_after=1):
                    self._heard(knock.payload)
        finally:
            self.deaf = True

    def _carries(self, connection: psycopg.Connection) -> bool:
        """Whether a knock by another connection comes through this one while it is idle."""
        channel = f"nexara_probe_{uuid4().hex}"
        connection.execute(f"LISTEN {channel}")
        with self._engine.begin() as db:
            db.execute(OUR_OWN, {"channel": channel})
        carried = bool(list(connection.notifies(timeout=PATIENCE, stop_after=1)))
        with suppress(psycopg.Error):
            connection.execute(f"UNLISTEN {channel}")
        return carried
