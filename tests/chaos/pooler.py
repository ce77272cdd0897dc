"""A PgBouncer in transaction mode between the engine and its database, with fewer connections than either wants."""

import os
import shutil
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from sandbox.child import Child, last_lines
from sandbox.ports import LOOPBACK, free_port

POOL = 2
"""Connections to the server for each role and database: with so few, neighbours take each other's all the time."""
PATIENCE = 10.0  # seconds


def binary() -> Path:
    """Return the program, or skip the test where there is none."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is None:
        pytest.skip("there is no PgBouncer on this machine: apt install pgbouncer")
    return Path(found)


class Pooler:
    """One PgBouncer; it knows the passwords of the roles, as that of a host does."""

    def __init__(self, folder: Path, server: int, passwords: dict[str, str]) -> None:
        self.port = free_port()
        self.log = folder / "pgbouncer.log"
        self._folder = folder
        self._child: Child | None = None
        self._admin = next(iter(passwords))
        self._passwords = passwords
        (folder / "users").write_text("".join(f'"{role}" "{password}"\n' for role, password in passwords.items()))
        (folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"* = host={LOOPBACK} port={server}\n"
            "[pgbouncer]\n"
            f"listen_addr = {LOOPBACK}\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder / 'users'}\nstats_users = {self._admin}\n"
            f"pool_mode = transaction\ndefault_pool_size = {POOL}\nmax_client_conn = 200\n"
        )
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)  # it refuses to be root, and reads as somebody else

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        user = "nobody" if os.geteuid() == 0 else None
        self._child = Child([binary(), self._folder / "pgbouncer.ini"], env={}, log=self.log, user=user)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.show("VERSION")
            except psycopg.OperationalError:
                assert time.monotonic() < until, last_lines(self.log)
                assert self._child.alive(), last_lines(self.log)
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Kill -9 it: every connection of every client ends."""
        if self._child is not None:
            self._child.kill()

    def url(self, direct: str) -> str:
        """Return the URL by which the same role reaches the same database through it."""
        return make_url(direct).set(port=self.port).render_as_string(hide_password=False)

    def show(self, what: str) -> list[tuple[object, ...]]:
        """Ask its own console."""
        address = {"host": LOOPBACK, "port": self.port, "dbname": "pgbouncer", "user": self._admin}
        with psycopg.connect(**address, password=self._passwords[self._admin], autocommit=True) as console:  # type: ignore[arg-type]
            return console.execute(f"SHOW {what}".encode()).fetchall()
