"""Real places for the probes: a database, Redis, a bucket with versions."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, create_engine

from lifecycle.audit.needles import Kind, Subject, spellings
from lifecycle.audit.search import Search
from providers.stored import Account
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY

TOKEN = "canary-7f3c9a52"
NUMBER = "+447700900488"
"""No other test's: an audit reads every bucket of the store that they share."""


@pytest.fixture
def search() -> Search:
    return Search(spellings([Subject(Kind.TEXT, TOKEN), Subject(Kind.PHONE, NUMBER)]))


@pytest.fixture
def engine(database: Any) -> Iterator[Engine]:
    made = create_engine(database.admin_url)
    yield made
    made.dispose()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as made:
        yield made
        made.flushdb()  # an audit reads every database of the server, the next test's too


@pytest.fixture
def versioned(storage: Any) -> str:
    if not storage.alive():
        storage.start()
    name = f"audited-{id(object())}"
    storage.create_bucket(name, versioned=True)
    return name


@pytest.fixture
def account(storage: Any, versioned: str) -> Iterator[Account]:
    made = Account(endpoint=storage.url, region=REGION, keys=(ACCESS_KEY, SECRET_KEY), bucket=versioned)
    yield made
    made.close()
