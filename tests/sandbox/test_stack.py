"""The whole sandbox, without the engine's own processes."""

import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis

from ledger.errors import Misconfigured
from sandbox.ports import is_open
from sandbox.stack import HOLDERS, Stack, engine_environment
from settings import Settings
from workers.wiring import vendors


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Stack]]:
    folder = tmp_path_factory.mktemp("kept")
    with ExitStack() as stopping:
        stacks = Stack(folder), Stack(folder)
        for stack in stacks:
            stopping.callback(stack.stop)
        for stack in stacks:
            stack.start_servers()
        yield stacks


def test_a_second_one_of_the_same_folder_runs_beside_the_first_in_a_folder_of_its_own(
    two: tuple[Stack, Stack],
) -> None:
    first, second = two
    assert not first.is_fresh
    assert second.is_fresh
    assert first.folder != second.folder
    ours, theirs = first.env(), second.env()
    addresses = [name for name in ours if name.endswith("_URL")]
    assert len(addresses) >= 9
    assert not [name for name in addresses if ours[name] == theirs[name]]


def test_every_address_of_the_environment_answers(two: tuple[Stack, Stack]) -> None:
    for stack in two:
        env = stack.env()
        with psycopg.connect(env["DATABASE_ADMIN_URL"].replace("+psycopg", "")) as connection:
            assert connection.info.dbname == "nexara"
        with redis.Redis.from_url(env["REDIS_URL"]) as client:
            assert client.ping()
        with urllib.request.urlopen(f"{env['S3_ENDPOINT_URL']}/{env['S3_BUCKET']}", timeout=5) as answer:
            assert answer.status == 200
        for vendor in ("DEEPGRAM", "ANTHROPIC", "RESEND"):
            assert is_open(int(env[f"{vendor}_BASE_URL"].rpartition(":")[2]))
            assert env[f"{vendor}_API_KEY"].startswith("sandbox")


def test_the_engine_gets_on_with_every_vendor_that_holds_copies(two: tuple[Stack, Stack]) -> None:
    for stack in two:
        given = vendors(Settings(**{name.lower(): value for name, value in stack.env().items()}))  # type: ignore[arg-type]
        try:
            assert given.faults() == ()
            for name in HOLDERS:
                getattr(given, name).check()
            with pytest.raises(Misconfigured):
                given.google.opened("not sealed")
        finally:
            given.close()


def test_the_engine_sees_no_superuser_and_nothing_of_this_shell(
    two: tuple[Stack, Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRY_DSN", "https://real.example")
    env = engine_environment(two[0].env())
    assert "SENTRY_DSN" not in env
    assert "DATABASE_ADMIN_URL" not in env
    assert not [name for name in env if name.startswith("NEXARA_")]
    assert not [value for value in env.values() if "postgres:" in value]
    assert env["PATH"] == os.environ["PATH"]


def test_what_dies_comes_back_where_it_was(two: tuple[Stack, Stack]) -> None:
    stack = two[1]
    before = stack.redis.pid
    stack.redis.kill()
    until = time.monotonic() + 10
    while stack.redis.pid == before or not is_open(stack.redis.port):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_stop_leaves_nothing_but_the_folder_that_is_kept(tmp_path: Path) -> None:
    kept, fresh = Stack(tmp_path / "kept"), Stack()
    for stack in (kept, fresh):
        try:
            stack.start_servers()
        finally:
            stack.stop()
        assert not is_open(stack.postgres.port)
    assert not fresh.folder.exists()
    again = Stack(tmp_path / "kept")
    assert not again.is_fresh
    again.stop()
