"""A world of its own for each test: a fresh database, an empty Redis, vendors that remember nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine

from providers.s3 import Objects
from sandbox.child import last_lines
from sandbox.postgres import Postgres
from sandbox.redis import Redis
from sandbox.vendors import anthropic, deepgram, resend
from tests.chaos.facts import CANNED, Web
from tests.chaos.vendors import Vendors
from tests.chaos.world import World


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendors]:
    """Return the three vendors, running in threads of this process."""
    with ExitStack() as running:
        yield Vendors(
            running.enter_context(deepgram.start(canned=CANNED)),
            running.enter_context(anthropic.start()),
            running.enter_context(resend.start()),
        )


@pytest.fixture
def world(
    database: Any,
    redis_url: str,
    bucket: Any,
    vendors: Vendors,
    postgres: Postgres,
    redis_server: Redis,
    tmp_path: Path,
) -> Iterator[World]:
    """Return a world without processes; those that a test starts in it end with it."""
    vendors.reset()
    settings = {
        "DATABASE_URL": database.worker_url,
        "REDIS_URL": redis_url,
        "S3_ENDPOINT_URL": bucket.endpoint_url,
        "S3_REGION": bucket.region,
        "S3_ACCESS_KEY_ID": bucket.access_key,
        "S3_SECRET_ACCESS_KEY": bucket.secret_key,
        "S3_BUCKET": bucket.name,
        "DEEPGRAM_API_KEY": "sandbox-deepgram",
        "DEEPGRAM_BASE_URL": vendors.deepgram,
        "ANTHROPIC_API_KEY": "sandbox-anthropic",
        "ANTHROPIC_BASE_URL": vendors.anthropic,
        "RESEND_API_KEY": "sandbox-resend",
        "RESEND_BASE_URL": vendors.resend,
        "PUBLIC_URL": "https://app.example",
    }
    objects = Objects(
        endpoint=bucket.endpoint_url,
        region=bucket.region,
        access_key=bucket.access_key,
        secret_key=bucket.secret_key,
        bucket=bucket.name,
    )
    # As the web tier's pooler would: a connection a transaction.
    web_engine = create_engine(
        database.web_url, poolclass=NullPool, execution_options={"schema_translate_map": {"nexara": "live"}}
    )
    world = World(settings, database.admin_url, (postgres, redis_server), Web(web_engine, objects), vendors, tmp_path)
    yield world
    world.close()
    web_engine.dispose()
    objects.close()
    for server in (postgres, redis_server):
        if not server.alive():
            server.start()
    for process in world.processes:  # pytest shows it if the test failed
        print(f"--- {process.name}\n{last_lines(process.log, 60)}")
