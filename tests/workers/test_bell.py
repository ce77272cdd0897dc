"""Redis as the bell: what is pushed, in which order it is popped, and that nothing but ids and fences is ever there."""

import re
from uuid import uuid4

import pytest
import redis

from ledger.dispatch import Dispatched
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Colour, Count, Dry, Paint
from workers.bell import Bell, connect, token
from workers.dispatcher import Dispatcher


def test_tokens_come_in_the_order_of_their_jobs(bell: Bell) -> None:
    bell.push("walls", [Dispatched(job_id, 1, 2) for job_id in (3, 1, 2)])
    assert bell.pop(["walls"], 10) == ("nexara:walls:2", [(3, 1), (1, 1), (2, 1)])


def test_what_is_urgent_in_any_queue_comes_before_what_is_not(bell: Bell) -> None:
    bell.push("first", [Dispatched(1, 1, 2), Dispatched(2, 1, 3)])
    bell.push("second", [Dispatched(3, 1, 0), Dispatched(4, 1, 2), Dispatched(5, 1, 1)])
    popped = [bell.pop(["first", "second"], 10) for _ in range(5)]
    assert [tokens[0][0] for _, tokens in popped] == [3, 5, 1, 4, 2]


def test_no_more_is_popped_than_there_is_room_for(bell: Bell) -> None:
    bell.push("walls", [Dispatched(job_id, 1, 2) for job_id in range(1, 6)])
    assert bell.pop(["walls"], 2)[1] == [(1, 1), (2, 1)]
    assert bell.depths("walls") == [0, 0, 3, 0]
    assert bell.head("walls", 2) == 3


def test_what_is_put_back_is_at_the_head_in_its_order(bell: Bell) -> None:
    bell.push("walls", [Dispatched(job_id, 1, 2) for job_id in range(1, 6)])
    key, tokens = bell.pop(["walls"], 3)
    bell.put_back(key, tokens)
    assert bell.pop(["walls"], 10)[1] == [(job_id, 1) for job_id in range(1, 6)]


def test_an_empty_list_ends_the_wait(bell: Bell) -> None:
    assert bell.pop(["walls"], 10, wait=0.01) == ("", [])
    assert bell.head("walls", 0) is None


def test_two_engines_on_one_redis_hear_each_their_own(bell: Bell, redis_url: str) -> None:
    client = connect(redis_url)
    other = Bell(client, "other")
    other.push("walls", [Dispatched(1, 1, 2)])
    other.ring()
    assert bell.pop(["walls"], 10, wait=0.01) == ("", [])
    assert not bell.wait(0.01)
    assert other.wait(0.01)
    assert other.pop(["walls"], 10) == ("other:walls:2", [(1, 1)])
    client.close()


def test_nobody_can_ring_redis_full(bell: Bell, redis_url: str) -> None:
    for _ in range(100):
        bell.ring()
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("nexara:bell") == 16
    assert bell.wait(0.01)


def test_a_token_is_an_id_and_a_fence() -> None:
    assert token(b"12:3") == (12, 3)
    with pytest.raises(ValueError, match="invalid literal"):
        token(b"Jane:Doe")


def test_redis_holds_ids_and_fences_and_nothing_else(ledger: Ledger, bell: Bell, redis_url: str) -> None:
    payloads = [Paint(wall_id=uuid4(), colour=Colour.BLUE), Dry(wall_id=uuid4()), Count(wall_id=uuid4())]
    ids = {ledger.enqueue(payload) for payload in payloads}
    dispatcher = Dispatcher(ledger.worker, bell, "")
    dispatcher._round()
    dispatcher._at_once.close()
    bell.ring()
    seen = contents(redis_url)
    assert set(seen) == {"nexara:walls:2", "nexara:bell"}
    assert all(re.fullmatch(r"\d+:\d+", value) for value in seen["nexara:walls:2"])
    assert {int(value.partition(":")[0]) for value in seen["nexara:walls:2"]} == ids
    assert seen["nexara:bell"] == ["1"]


def contents(redis_url: str) -> dict[str, list[str]]:
    """Return everything that a Redis database holds; a key that is no list fails."""
    with redis.Redis.from_url(redis_url) as client:
        return {key.decode(): [value.decode() for value in client.lrange(key, 0, -1)] for key in client.scan_iter("*")}
