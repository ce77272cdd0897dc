"""A local S3 server (moto) on a loopback port; what it stores lives in its memory and ends with it."""

import http.client
import os
import signal
import sys
import time
from pathlib import Path

from sandbox.child import Child, DidNotStart, last_lines
from sandbox.ports import LOOPBACK, free_port, is_free, is_open

START_DEADLINE = 60.0  # seconds: it imports much
REGION = "us-east-1"
ACCESS_KEY = "sandbox"
SECRET_KEY = "sandbox-secret"  # noqa: S105  the local server accepts any key

VERSIONING = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>%s</Status></VersioningConfiguration>'


class Storage:
    """An S3 server that belongs to this process and dies with it, and what it stores with it."""

    name = "storage"

    def __init__(self, folder: Path, *, port: int | None = None, bucket: str = "recordings") -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.bucket = bucket
        self.log = self.folder / "storage.log"
        self._may_move = port is None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Return the address to use as S3_ENDPOINT_URL."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        if self._child is None:
            raise DidNotStart("the S3 server is not running")
        return self._child.pid

    def alive(self) -> bool:
        """Return whether the server runs."""
        return self._child is not None and self._child.alive()

    def start(self) -> None:
        """Start the server with an empty bucket and return once it answers.

        Raises DidNotStart with the end of its log.
        """
        if self.alive():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + START_DEADLINE
        while not self._try_to_start(until):
            if time.monotonic() > until or "in use" not in last_lines(self.log, 5):
                raise DidNotStart(f"the S3 server did not start; its log ends:\n{last_lines(self.log)}")
        self.create_bucket(self.bucket)

    def stop(self, deadline: float = 5) -> None:
        """Stop the server, by force after `deadline` seconds."""
        if self._child is not None:
            self._child.stop(signal.SIGTERM, deadline)

    def kill(self) -> None:
        """Kill -9 the server."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Stop and start again on the same port, with an empty bucket."""
        self.stop()
        self.start()

    def create_bucket(self, name: str, *, versioned: bool = False) -> None:
        """Create an empty bucket, without versioning unless it is asked for."""
        self._put(f"/{name}")
        if versioned:
            self._put(f"/{name}?versioning", VERSIONING % b"Enabled")

    def _put(self, path: str, body: bytes = b"") -> None:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=20)
        try:
            connection.request("PUT", path, body)
            status = connection.getresponse().status
        finally:
            connection.close()
        if status != http.client.OK:
            raise DidNotStart(f"the S3 server answered {status} to PUT {path}")

    def _try_to_start(self, until: float) -> bool:
        if self._may_move:
            self.port = self.port if is_free(self.port) else free_port()
        argv = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]
        self._child = Child(argv, env={"PATH": os.defpath}, log=self.log, cwd=self.folder)
        while self._child.alive() and time.monotonic() < until:
            if is_open(self.port):
                self._may_move = False
                return True
            time.sleep(0.05)
        self._child.stop()
        return False
