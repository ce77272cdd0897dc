"""Worlds to break, each with a fresh database, an empty Redis and bucket, and vendors that remember nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from providers.s3 import Objects
from sandbox.child import last_lines
from sandbox.postgres import Postgres
from sandbox.redis import DATABASES, Redis
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY, Storage
from sandbox.vendors import anthropic, deepgram, resend
from tests.chaos.facts import CANNED, Web
from tests.chaos.vendors import Vendors
from tests.chaos.world import World
from tests.classified import all_of_bucket, all_of_redis

Worlds = Callable[..., AbstractContextManager[World]]
"""Lends a world; its argument, if any, turns a database's URL into that by which everybody reaches it."""

NUMBERS = count(1)


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendors]:
    """Return the three vendors, running in threads of this process."""
    with ExitStack() as running:
        yield Vendors(
            running.enter_context(deepgram.start(canned=CANNED)),
            running.enter_context(anthropic.start()),
            running.enter_context(resend.start()),
        )


@pytest.fixture(scope="session")
def worlds(
    databases: Callable[[], AbstractContextManager[Any]],
    postgres: Postgres,
    redis_server: Redis,
    storage: Storage,
    vendors: Vendors,
    tmp_path_factory: pytest.TempPathFactory,
) -> Worlds:
    """Return what lends a world without processes; those that are started in it end with it."""

    @contextmanager
    def lend(through: Callable[[str], str] = lambda url: url) -> Iterator[World]:
        number = next(NUMBERS)
        redis_url = redis_server.url(DATABASES - 1 - number % (DATABASES // 2))
        bucket = f"chaos-{number}"
        storage.create_bucket(bucket)
        vendors.reset()
        with databases() as database, _objects(storage, bucket) as objects:
            settings = {
                "DATABASE_URL": through(database.worker_url),
                "DASHBOARD_DATABASE_URL": through(database.dashboard_url),
                "REDIS_URL": redis_url,
                "REDIS_PREFIX": f"chaos{number}",
                **_vendor_settings(vendors),
                **_storage_settings(storage, bucket),
            }
            # As the web tier's pooler would: a connection a transaction.
            web_engine = create_engine(
                through(database.web_url),
                poolclass=NullPool,
                execution_options={"schema_translate_map": {"nexara": "live"}},
                connect_args={"prepare_threshold": None},
            )
            servers = (postgres, redis_server)
            folder = tmp_path_factory.mktemp("world")
            with create_engine(database.admin_url, poolclass=NullPool).begin() as db:
                db.execute(text("DELETE FROM ledger.limits"))  # these vendors are ours: what is proved here is no pace
            world = World(settings, database.admin_url, servers, Web(web_engine, objects), vendors, folder)
            yield world
            all_of_bucket(each.key for each in objects.held())
            all_of_redis(world.redis.scan_iter() if redis_server.alive() else (), settings["REDIS_PREFIX"])
            world.close()
            web_engine.dispose()
            for server in servers:
                if not server.alive():
                    server.start()
        _print_logs(world, folder)

    return lend


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    """Return a world of this test's own."""
    with worlds() as world:
        yield world


@contextmanager
def _objects(storage: Storage, bucket: str) -> Iterator[Objects]:
    objects = Objects(endpoint=storage.url, region=REGION, access_key=ACCESS_KEY, secret_key=SECRET_KEY, bucket=bucket)
    yield objects
    objects.close()


def _storage_settings(storage: Storage, bucket: str) -> dict[str, str]:
    return {
        "S3_ENDPOINT_URL": storage.url,
        "S3_REGION": REGION,
        "S3_ACCESS_KEY_ID": ACCESS_KEY,
        "S3_SECRET_ACCESS_KEY": SECRET_KEY,
        "S3_BUCKET": bucket,
    }


def _vendor_settings(vendors: Vendors) -> dict[str, str]:
    return {
        "DEEPGRAM_API_KEY": "sandbox-deepgram",
        "DEEPGRAM_BASE_URL": vendors.deepgram,
        "ANTHROPIC_API_KEY": "sandbox-anthropic",
        "ANTHROPIC_BASE_URL": vendors.anthropic,
        "RESEND_API_KEY": "sandbox-resend",
        "RESEND_BASE_URL": vendors.resend,
        "PUBLIC_URL": "https://app.example",
    }


def _print_logs(world: World, folder: Path) -> None:
    """Print what the processes said: pytest shows it where a test failed."""
    for process in world.processes:
        print(f"--- {process.name} in {folder.name}\n{last_lines(process.log, 60)}")
