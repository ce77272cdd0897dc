"""Real servers for the tests, each started when a test first asks for it, one set for each pytest process."""

import ipaddress
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from sandbox.postgres import Postgres
from sandbox.redis import DATABASES, Redis
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY, Storage

ROLES = ("nexara_worker", "nexara_web", "nexara_dashboard")
TEMPLATE = "migrated_template"
NUMBERS = count(1)


@dataclass(frozen=True)
class Database:
    """A fresh, migrated database of one test, and who may enter it."""

    name: str
    admin_url: str
    worker_url: str
    web_url: str
    dashboard_url: str


@dataclass(frozen=True)
class Bucket:
    """An empty bucket of one test, and what a client needs to reach it."""

    name: str
    endpoint_url: str
    region: str
    access_key: str
    secret_key: str


def pytest_configure() -> None:
    """Close every socket of this process but those to the loopback address."""
    sys.addaudithook(_refuse_the_network)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests reported of what they measured, whether they passed or not."""
    for outcome in ("passed", "failed"):
        for test in terminalreporter.stats.get(outcome, []):
            for name, value in test.user_properties:
                if name == "report":
                    terminalreporter.section(test.nodeid)
                    terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Return a folder for this process's servers, with a short path, removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="nexara-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    """Return a running PostgreSQL: the embedded one, or that of the folder NEXARA_TEST_PG_BIN."""
    chosen = os.environ.get("NEXARA_TEST_PG_BIN")
    server = Postgres(folder / "postgres", binaries=Path(chosen) if chosen else None)
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def redis_server(folder: Path) -> Iterator[Redis]:
    """Return a running Redis-compatible server."""
    server = Redis(folder / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def storage(folder: Path) -> Iterator[Storage]:
    """Return a running S3 server."""
    server = Storage(folder / "storage")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def role_passwords() -> dict[str, str]:
    """Return the passwords of the login roles, by role."""
    return {role: secrets.token_hex(16) for role in ROLES}


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres, role_passwords: dict[str, str]) -> str:
    """Return the name of a database that has been migrated to the newest version, for cloning alone."""
    from migrations.apply import migrate

    with _maintenance(postgres) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    migrate(postgres.url(TEMPLATE), role_passwords)
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(
    postgres: Postgres, migrated_template: str, role_passwords: dict[str, str]
) -> Callable[[], AbstractContextManager[Database]]:
    """Return what lends a fresh clone of the migrated database, dropped at the end of its block."""

    @contextmanager
    def lend() -> Iterator[Database]:
        name = f"test_{next(NUMBERS)}"
        with _maintenance(postgres) as connection:
            _clone(connection, migrated_template, name)
        yield Database(
            name=name,
            admin_url=postgres.url(name),
            worker_url=postgres.url(name, "nexara_worker", role_passwords["nexara_worker"]),
            web_url=postgres.url(name, "nexara_web", role_passwords["nexara_web"]),
            dashboard_url=postgres.url(name, "nexara_dashboard", role_passwords["nexara_dashboard"]),
        )
        if not postgres.alive():
            postgres.start()
        with _maintenance(postgres) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return lend


@pytest.fixture
def database(databases: Callable[[], AbstractContextManager[Database]]) -> Iterator[Database]:
    """Return a fresh clone of the migrated database, dropped after the test."""
    with databases() as database:
        yield database


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """Return the superuser's URL of a database without anything in it, dropped after the test."""
    name = f"empty_{next(NUMBERS)}"
    with _maintenance(postgres) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres.url(name)
    with _maintenance(postgres) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """Return the URL of an empty logical database, another one than the last test's."""
    import redis

    if not redis_server.alive():
        redis_server.start()
    url = redis_server.url(next(NUMBERS) % DATABASES)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def bucket(storage: Storage) -> Bucket:
    """Return an empty bucket without versioning."""
    if not storage.alive():
        storage.start()
    name = f"bucket-{next(NUMBERS)}"
    storage.create_bucket(name)
    return Bucket(name, storage.url, REGION, ACCESS_KEY, SECRET_KEY)


def _maintenance(postgres: Postgres) -> psycopg.Connection:
    return psycopg.connect(postgres.admin_url.replace("+psycopg", ""), autocommit=True)


def _clone(connection: psycopg.Connection, template: str, name: str) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )
    # A clone has the template's content, but not the rights to the database itself, nor its settings.
    connection.execute(
        "UPDATE pg_database SET datacl = (SELECT datacl FROM pg_database WHERE datname = %s) WHERE datname = %s",
        (template, name),
    )
    connection.execute(
        "INSERT INTO pg_db_role_setting SELECT new.oid, kept.setrole, kept.setconfig"
        " FROM pg_db_role_setting kept JOIN pg_database old ON old.oid = kept.setdatabase, pg_database new"
        " WHERE old.datname = %s AND new.datname = %s",
        (template, name),
    )


class NotOnThisMachine(BaseException):
    """A test reached for another machine; no `except Exception` may hide it."""


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments
    else:
        return
    host = address[0] if isinstance(address, tuple) else None
    if isinstance(host, bytes):
        host = host.decode()
    if host and not _is_loopback(host):
        raise NotOnThisMachine(f"a test tried to reach {host}; tests reach loopback addresses alone")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
