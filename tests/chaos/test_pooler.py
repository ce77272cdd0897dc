"""Everything through a PgBouncer in transaction mode with two connections for each role: no session is relied on."""

import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from ledger.keys import new_key
from sandbox.ports import free_port
from sandbox.postgres import Postgres
from tests.chaos.conftest import Worlds
from tests.chaos.pooler import POOL, Pooler, binary
from tests.chaos.proof import prove
from tests.chaos.world import World
from workers.knocks import PATIENCE as KNOCK_PATIENCE

SERVER = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'nexara_worker' AND datname = current_database()"
# What a session keeps beyond its transaction. PgBouncer itself sets the first four, as each client's connection asked.
KEPT = {
    "settings": "SELECT name FROM pg_settings WHERE source = 'session' AND name NOT IN"
    " ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')",
    "prepared statements": "SELECT name FROM pg_prepared_statements",
    "locks": "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    "cursors": "SELECT name FROM pg_cursors WHERE name <> ''",
    "a knock": "SELECT c FROM pg_listening_channels() c WHERE c = 'nexara_bell'",
    "a job": "SELECT FROM (SELECT current_setting('nexara.job', true) AS s) g WHERE s <> ''",
    "a role": "SELECT WHERE current_user <> session_user",
}


@pytest.fixture
def pooler(postgres: Postgres, role_passwords: dict[str, str]) -> Iterator[Pooler]:
    binary()
    if not postgres.alive():
        postgres.start()
    folder = Path(tempfile.mkdtemp(prefix="nexara-pooler-"))  # pytest closes its own to everybody else
    pooler = Pooler(folder, postgres.port, role_passwords)
    pooler.start()
    yield pooler
    pooler.kill()
    shutil.rmtree(folder)


@pytest.fixture
def world(worlds: Worlds, pooler: Pooler) -> Iterator[World]:
    with worlds(pooler.url) as world:
        yield world


def test_every_process_works_through_two_connections_that_all_of_them_share(world: World, pooler: Pooler) -> None:
    dispatcher, worker, scheduler = world.dispatcher(), world.worker(), world.scheduler()
    port = free_port()
    world.dashboard(port)
    for process in (dispatcher, worker, scheduler):
        process.up()
    for _ in range(4):
        world.web.chat(), world.web.call()
    print(f"eight conversations in {world.finish():.1f} s, through {POOL} connections")
    world.until(lambda: len(world.sql("SELECT FROM ledger.ticks")) >= 3, "the scheduler has noted its ticks")
    prove(world)
    job = _enqueued_over_http(world, port)
    world.until(lambda: not world.open_jobs(), "what came over HTTP has ended")
    assert world.value(f"SELECT state FROM ledger.jobs WHERE id = {job}") == "succeeded"

    (clients,) = [int(str(row[2])) + int(str(row[3])) for row in pooler.show("POOLS") if row[1] == "nexara_worker"]
    assert world.value(SERVER) <= POOL < clients
    assert dispatcher.said.count("dispatcher.deaf") == 1
    assert "dispatcher.waiting" not in dispatcher.said
    assert not world.sql("SELECT FROM ledger.bell WHERE asleep"), "an enqueuer need not knock where nobody can hear it"
    for role_url in (world.worker_url, world.dashboard_url):
        assert _kept_by_sessions(role_url) == {what: [] for what in KEPT}


def test_a_pooler_that_is_killed_and_started_again_costs_no_attempt(world: World, pooler: Pooler) -> None:
    dispatcher, worker = world.dispatcher().up(), world.worker().up()
    for _ in range(2):
        world.vendors.slow("anthropic", seconds=1, times=2)
        for _ in range(3):
            world.web.chat()
        world.until(lambda: world.sql("SELECT FROM ledger.jobs WHERE state = 'running'"), "a job runs")
        pooler.kill()
        time.sleep(1)
        pooler.start()
    print(f"finished {world.finish():.1f} s after the last start")
    assert world.value("SELECT count(*) FROM ledger.attempts") == 0
    assert dispatcher.alive()
    assert worker.alive()
    prove(world)


def test_knocks_are_heard_on_a_connection_of_its_own(worlds: Worlds) -> None:
    with worlds() as world:
        dispatcher = world.dispatcher().up()
        world.until(lambda: world.sql("SELECT FROM ledger.bell WHERE asleep"), "it sleeps, and asks to be knocked at")
        time.sleep(KNOCK_PATIENCE)
        assert "dispatcher.deaf" not in dispatcher.said


def _enqueued_over_http(world: World, port: int) -> int:
    """Enqueue a job that is there already in the name of the business; return its id."""
    key, written = new_key()
    engine = create_engine(world.dashboard_url, connect_args={"prepare_threshold": None})
    with engine.begin() as db:
        db.execute(
            text("SELECT ledger.create_api_key_v1(:id, :digest, :business, 'shop', ARRAY['jobs:write'], NULL)"),
            {**key.values, "business": world.web.business},
        )
    engine.dispose()
    body = {"kind": "usage.meter", "payload": {"conversation_id": str(world.web.talks[0].id)}}
    headers = {"authorization": f"Bearer {written}", "content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/jobs", json.dumps(body).encode(), headers)
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(json.load(answer)["id"])
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read()) from error
        except urllib.error.URLError:
            assert time.monotonic() < until, "the dashboard does not answer"
            time.sleep(0.1)


def _kept_by_sessions(url: str) -> dict[str, list[str]]:
    """Return what any of the shared sessions has kept of those who had it before."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    found: dict[str, list[str]] = {}
    with ExitStack() as held:
        # As many transactions at a time as there are sessions: each has one of its own.
        sessions = [held.enter_context(psycopg.connect(plain, prepare_threshold=None)) for _ in range(POOL)]
        for what, question in KEPT.items():
            found[what] = [str(row) for session in sessions for row in session.execute(question.encode()).fetchall()]
    return found
