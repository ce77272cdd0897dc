"""The whole sandbox: servers, local vendors and the engine's own processes, on ports of their own."""

import contextlib
import fcntl
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

from sandbox.operators import ROLES as OPERATORS
from sandbox.ports import LOOPBACK, free_port
from sandbox.postgres import Postgres
from sandbox.processes import Supervisor, until_told
from sandbox.program import Program
from sandbox.redis import Redis
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY, Storage

ROOT = Path(__file__).parent.parent
DATABASE = "nexara"
DASHBOARD_PORT = 8300
VENDORS = ("deepgram", "anthropic", "resend")
HOLDERS = ("twilio", "telnyx", "vapi", "elevenlabs", "meta", "dialog360", "google", "supabase", "lemon_squeezy")
HOLDERS_KEYS = (
    *("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TELNYX_API_KEY", "VAPI_API_KEY"),
    *("ELEVENLABS_API_KEY", "META_ACCESS_TOKEN", "DIALOG360_API_KEY", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    *("SUPABASE_SECRET_KEY", "LEMON_SQUEEZY_API_KEY"),
)
ENGINE = ("dispatcher", "worker", "scheduler", "dashboard")
WORKER_GRACE = 30.0  # seconds: more than the 25 that a worker gives its jobs
ROLES = ("nexara_worker", "nexara_web", "nexara_dashboard")

# What children see of this shell. Nothing else: a real key or address set here must never reach the sandbox.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TERM", "VIRTUAL_ENV")
# What the engine's processes must not have: they enter the database as the real roles or prove nothing.
KEPT_BACK = (
    "DATABASE_ADMIN_URL",
    "NEXARA_WORKER_PASSWORD",
    "NEXARA_WEB_PASSWORD",
    "NEXARA_DASHBOARD_PASSWORD",
)


class Stack:
    """Every process of the sandbox, on ports that were free when it started.

    `folder` keeps the database from one run to the next; without one, or while another run uses it, a
    temporary folder serves and is removed at the end. Redis and the S3 server start empty each time.
    `tell` hears a sentence about each process that dies.
    """

    def __init__(self, folder: Path | None = None, *, tell: Callable[[str], None] = lambda _: None) -> None:
        self.supervisor = Supervisor(tell)
        self._lock = _lock(folder) if folder is not None else None
        self.is_fresh = self._lock is None
        kept = folder if folder is not None and not self.is_fresh else None
        self.folder = kept.resolve() if kept is not None else Path(tempfile.mkdtemp(prefix="nexara-"))
        self.postgres = Postgres(self.folder / "postgres", durable=not self.is_fresh)
        self.redis = Redis(self.folder / "redis")
        self.storage = Storage(self.folder / "storage")
        self.vendors = {name: self._vendor(name) for name in VENDORS}
        self.ports = {name: free_port() for name in HOLDERS}
        self.holders = self._holders()
        self.token_key = Fernet.generate_key().decode()
        self.engine: dict[str, Program] = {}
        self.dashboard_port = free_port(prefer=DASHBOARD_PORT)
        self.operators = {name: secrets.token_urlsafe(12) for name in OPERATORS}
        self.passwords = {role: secrets.token_hex(16) for role in ROLES}

    @property
    def dashboard_url(self) -> str:
        """Return the address of the dashboard."""
        return f"http://{LOOPBACK}:{self.dashboard_port}"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs of the vendors and the engine's processes."""
        return self.folder / "logs"

    def vendor_url(self, name: str) -> str:
        """Return the base URL of a local vendor."""
        return f"http://{LOOPBACK}:{self.ports[name] if name in self.ports else self.vendors[name].port}"

    @contextlib.contextmanager
    def until_told(self) -> Iterator[None]:
        """Run the body until it ends, or Ctrl-C or SIGTERM raises KeyboardInterrupt in it; then stop all."""
        try:
            with until_told(self.supervisor):
                yield
        finally:
            self.stop()

    def start_servers(self) -> None:
        """Start the servers and the local vendors, and create the database if it is not there.

        Raises DidNotStart, with the end of the log of the one that failed.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        for vendor in (*self.vendors.values(), self.holders):
            self.supervisor.start(vendor)
        for server in (self.postgres, self.redis, self.storage):
            self.supervisor.start(server)
        for vendor in (*self.vendors.values(), self.holders):
            vendor.wait_until_open()
        self._create_database()

    def start_engine(self, *, workers: int = 1) -> None:
        """Start the engine's own processes, on a migrated database, and return once the dashboard answers."""
        for name in ENGINE:
            for number in range(workers if name == "worker" else 1):
                program = self._engine_program(
                    name, f"{name}-{number + 1}" if workers > 1 and name == "worker" else name
                )
                self.engine[program.name] = program
                self.supervisor.start(program)
        for program in self.engine.values():
            program.wait_until_open()

    def stop(self) -> None:
        """Stop everything, the engine first, and remove the folder if it was temporary."""
        self.supervisor.stop()
        if self.is_fresh:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    def env(self) -> dict[str, str]:
        """Return the settings of this sandbox, as environment variables; complete once the servers run."""
        postgres, passwords = self.postgres, self.passwords
        settings = {
            "DATABASE_ADMIN_URL": postgres.url(DATABASE),
            "DATABASE_URL": postgres.url(DATABASE, "nexara_worker", passwords["nexara_worker"]),
            "WEB_DATABASE_URL": postgres.url(DATABASE, "nexara_web", passwords["nexara_web"]),
            "DASHBOARD_DATABASE_URL": postgres.url(DATABASE, "nexara_dashboard", passwords["nexara_dashboard"]),
            "REDIS_URL": self.redis.url(),
            "S3_ENDPOINT_URL": self.storage.url,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY_ID": ACCESS_KEY,
            "S3_SECRET_ACCESS_KEY": SECRET_KEY,
            "S3_BUCKET": self.storage.bucket,
            "DASHBOARD_HOST": LOOPBACK,
            "DASHBOARD_PORT": str(self.dashboard_port),
            "DASHBOARD_USER": "oncall",
            "DASHBOARD_PASSWORD": self.operators["oncall"],
            "PUBLIC_URL": self.dashboard_url,
        }
        for name in VENDORS:
            settings[f"{name.upper()}_API_KEY"] = f"sandbox-{name}"
            settings[f"{name.upper()}_BASE_URL"] = self.vendor_url(name)
        for name in HOLDERS:
            settings[f"{name.upper()}_BASE_URL"] = self.vendor_url(name)
        settings |= {name: f"sandbox-{name.lower()}" for name in HOLDERS_KEYS}
        settings |= {
            "META_BASE_URL": f"{self.vendor_url('meta')}/v24.0",
            "GOOGLE_OAUTH_BASE_URL": self.vendor_url("google"),
            "GOOGLE_TOKEN_KEYS": self.token_key,
        }
        for role, password in passwords.items():
            settings[f"{role.upper()}_PASSWORD"] = password
        return settings

    def _vendor(self, name: str) -> Program:
        port = free_port()
        argv = [sys.executable, "-m", f"sandbox.vendors.{name}", "--port", str(port)]
        return Program(name, argv, env=_shell(), log=self.logs / f"{name}.log", cwd=self.folder, port=port)

    def _holders(self) -> Program:
        """Return the vendors that hold copies, which are one process: nobody asks most of them in a whole demo."""
        argv = [sys.executable, "-m", "sandbox.vendors.holders"]
        argv += [part for name, port in self.ports.items() for part in ("--on", name, str(port))]
        last = self.ports[HOLDERS[-1]]
        return Program("holders", argv, env=_shell(), log=self.logs / "holders.log", cwd=self.folder, port=last)

    def _engine_program(self, command: str, name: str) -> Program:
        return Program(
            name,
            [sys.executable, "-m", "nexara", command],
            env=engine_environment(self.env()),
            log=self.logs / f"{name}.log",
            cwd=self.folder,
            port=self.dashboard_port if command == "dashboard" else None,
            grace=WORKER_GRACE if command == "worker" else 10,
        )

    def _create_database(self) -> None:
        with psycopg.connect(self.postgres.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def engine_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of an engine's process: its settings, and of this shell what it needs to run."""
    return {**_shell(), **{name: value for name, value in settings.items() if name not in KEPT_BACK}}


def _shell() -> dict[str, str]:
    passed = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    # Not the current folder: a .env file in it must not be found.
    return {**passed, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _lock(folder: Path) -> BinaryIO | None:
    """Return a lock on the folder that ends with this process, or None while another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
