"""The embedded PostgreSQL server, and others through their folder of programs."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.child import DidNotStart
from sandbox.ports import LOOPBACK, free_port
from sandbox.postgres import Mode, Postgres, embedded_binaries

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
BINARIES = [embedded_binaries(), *(initdb.parent for initdb in DEBIAN)]


@pytest.fixture(params=BINARIES, ids=lambda folder: folder.parent.name)
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres", binaries=request.param)
    server.start()
    yield server
    server.stop("immediate")


def run(server: Postgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_what_was_committed_survives_kill_9(server: Postgres) -> None:
    run(server, "CREATE TABLE kept AS SELECT 1 AS one")
    port, first = server.port, server.pid
    server.kill()
    assert not server.alive()
    server.start()
    assert run(server, "SELECT one FROM kept") == [(1,)]
    assert server.port == port
    assert server.pid != first


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_keeps_the_data_even_with_a_transaction_open(server: Postgres, mode: Mode) -> None:
    run(server, "CREATE TABLE kept AS SELECT 1 AS one")
    with psycopg.connect(server.admin_url.replace("+psycopg", "")) as open_one:
        open_one.execute("INSERT INTO kept VALUES (2)")
        server.restart(mode)
        open_one.close()
    assert run(server, "SELECT one FROM kept") == [(1,)]


def test_a_start_in_a_folder_that_has_data_finds_it_again(tmp_path: Path) -> None:
    for expected in ([], [("kept",)]):
        server = Postgres(tmp_path / "postgres", durable=True)
        server.start()
        try:
            assert run(server, "SELECT relname FROM pg_class WHERE relname = 'kept'") == expected
            assert run(server, "SHOW fsync") == [("on",)]
            run(server, "CREATE TABLE IF NOT EXISTS kept (one int)")
        finally:
            server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("mode", [0o700, 0o755], ids=["closed", "open"])
def test_as_root_the_server_runs_under_another_account(tmp_path: Path, mode: int) -> None:
    # As in a checkout below /root, which no other account may enter; or in a folder which all may.
    home = tmp_path / "home"
    home.mkdir(mode=mode)
    server = Postgres(home / "postgres")
    server.start()
    try:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert home.stat().st_mode & 0o777 == mode
    finally:
        server.stop("immediate")


def test_a_port_taken_meanwhile_is_left_to_its_owner(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres")
    with socket.create_server((LOOPBACK, server.port)) as owner:
        server.start()
        try:
            assert server.port != owner.getsockname()[1]
            assert run(server, "SELECT 1") == [(1,)]
        finally:
            server.stop("immediate")


def test_data_of_another_version_is_refused_with_a_way_out(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("13\n")
    with pytest.raises(DidNotStart, match=r"made by PostgreSQL 13, .* remove the folder"):
        Postgres(tmp_path / "postgres").start()


def test_a_server_that_cannot_start_says_why(server: Postgres) -> None:
    server.stop()
    (server.folder / "data" / "postgresql.conf").write_text("max_connections = plenty\n")
    with pytest.raises(DidNotStart, match="max_connections"):
        server.start()


def test_ports_are_chosen_once() -> None:
    assert len({free_port() for _ in range(50)}) == 50
