"""The servers that the other tests build on."""

import socket
from collections.abc import Callable

import psycopg
import pytest
import redis

from sandbox.postgres import Postgres
from sandbox.redis import Redis


def test_an_empty_database_is_empty_and_one_may_enter_as_superuser(empty_database: str) -> None:
    with psycopg.connect(empty_database.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)


def test_a_password_is_needed(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(password="wrong").replace("+psycopg", ""))


def test_each_test_gets_an_empty_redis(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_redis_refuses_rather_than_forgets_when_full(redis_server: Redis) -> None:
    with redis.Redis.from_url(redis_server.url()) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection(("198.51.100.7", 443), timeout=1),
        lambda: socket.getaddrinfo("api.example.com", 443),
    ],
    ids=["address", "name"],
)
def test_a_test_that_reaches_for_another_machine_fails(reach: Callable[[], object]) -> None:
    with pytest.raises(BaseException, match="loopback addresses alone"):
        reach()


def test_loopback_is_open() -> None:
    assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo("127.0.0.1", 80)
