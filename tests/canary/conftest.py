"""The whole house for one who is erased from it: a bucket with versions, a Redis, logs and envelopes as they leave."""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import sentry_sdk

from providers.s3 import Objects
from providers.s3_client import s3_client
from providers.vendor_values import VendorValues
from providers.vendors import Vendors
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY
from sandbox.vendors import anthropic, deepgram, resend
from tests.canary.speakers import BYSTANDER, SUBJECT
from tests.canary.stores import Stores
from tests.canary.world import World
from tests.jobs import conftest as jobs
from tests.jobs import test_no_personal_data as logging_as_a_worker
from tests.jobs.house import Wire, Wires
from tests.jobs.spoken import scripts
from tests.workers.test_sentry import DSN, Caught
from workers import log, sentry
from workers.bell import connect

wires, usual, house, new_shop, shop = jobs.wires, jobs.usual, jobs.house, jobs.new_shop, jobs.shop
holders, whoever_holds, remaining = jobs.holders, jobs.whoever_holds, jobs.remaining
own_log, redis_held = logging_as_a_worker.own_log, logging_as_a_worker.redis_held
BUCKET = "canary"


@pytest.fixture(scope="session")
def servers() -> Iterator[Wires]:
    with ExitStack() as running:
        heard = scripts((SUBJECT.spoken, BYSTANDER.spoken))
        yield Wires(
            deepgram=Wire(running.enter_context(deepgram.start(canned=heard))),
            anthropic=Wire(running.enter_context(anthropic.start())),
            resend=Wire(running.enter_context(resend.start())),
        )


@pytest.fixture(scope="session")
def values(storage: Any, servers: Wires) -> VendorValues:
    return replace(jobs.values.__wrapped__(storage, servers), s3_bucket=BUCKET)


@pytest.fixture
def s3(storage: Any) -> Iterator[Any]:
    if not storage.alive():
        storage.start()
    client = s3_client(endpoint=storage.url, region=REGION, keys=(ACCESS_KEY, SECRET_KEY), timeout=10)
    if BUCKET not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
        storage.create_bucket(BUCKET, versioned=True)
    yield client
    client.close()


@pytest.fixture
def objects(s3: Any, usual: Vendors) -> Objects:
    return usual.objects


@pytest.fixture
def caught() -> Iterator[Caught]:
    hooks = sys.excepthook, threading.excepthook
    transport = Caught()
    sentry.start(DSN, "test", "abc123", transport=transport)
    yield transport
    sys.excepthook, threading.excepthook = hooks
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def world(
    house: Any,
    shop: Any,
    new_shop: Any,
    remaining: Any,
    s3: Any,
    caught: Caught,
    own_log: Any,
    redis_held: list[str],
    redis_url: str,
    postgres: Any,
    database: Any,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[World]:
    log_began = postgres.log.stat().st_size
    own_log()
    lines: list[str] = []

    def tell(ended: Any) -> None:
        log.tell(ended)
        sentry.tell(ended)

    def logged() -> str:
        lines.append(capsys.readouterr().err)
        return "\n".join(lines)

    house.tell = tell
    client = connect(redis_url)
    stores = Stores(
        postgres=postgres,
        engine=house.admin,
        admin_url=database.admin_url,
        s3=s3,
        bucket=BUCKET,
        redis=client,
        held=redis_held,
        wires=dict(remaining.wires),
        logged=logged,
        sent=lambda: caught.raw,
        server_log=postgres.log,
        log_began=log_began,
    )
    yield World(house, shop, new_shop(), remaining, s3, BUCKET, stores)
    client.close()
