"""The tap: what a process takes, and what becomes of it when Redis, the ledger or the process itself is in the way."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from uuid import uuid4

import pytest
import redis
from sqlalchemy import Engine, text

from ledger.claim import Token, disclaim
from sandbox.ports import LOOPBACK, free_port
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Dry, Knock
from tests.ledger.lossy import lossy_line
from workers.bell import LONGEST_WAIT, Bell, connect
from workers.budget import Budget
from workers.intake import Intake, Tap
from workers.wiring import engine

Rung = Callable[..., list[int]]


def intake(
    ledger: Ledger, bell: Bell, *, queues: Sequence[str] = ("walls",), room: int = 10, database: Engine | None = None
) -> Intake:
    return Intake(database or ledger.worker, bell, ledger.registry, ledger.me, queues, Budget(room))


@contextmanager
def nowhere() -> Iterator[Engine]:
    """Give an engine of a database that is not there."""
    database = engine(f"postgresql://nobody@{LOOPBACK}:{free_port()}/nothing", 1)
    yield database
    database.dispose()


def test_what_rings_is_claimed_in_its_order_and_held(ledger: Ledger, bell: Bell, rung: Rung) -> None:
    ids = rung(*(Dry(wall_id=uuid4()) for _ in range(3)))
    tap = intake(ledger, bell)
    claimed = tap.fetch(0.05)
    assert [job.id for job in claimed] == ids
    assert tap.budget.held == 3
    assert tap.held(ids[0], claimed[0].fence) == claimed[0]
    assert tap.held(ids[0], claimed[0].fence - 1) is None
    assert ledger.job(ids[0]).worker_id == ledger.me
    tap.forget((job.id, job.fence) for job in claimed)
    assert tap.budget.held == 0
    assert tap.fetch(0.01) == []


def test_no_more_is_claimed_than_there_is_room_for(ledger: Ledger, bell: Bell, rung: Rung) -> None:
    ids = rung(*(Dry(wall_id=uuid4()) for _ in range(3)))
    tap = intake(ledger, bell, room=2)
    assert [job.id for job in tap.fetch(0.05)] == ids[:2]
    assert tap.fetch(0.05) == []
    assert ledger.job(ids[2]).state == "dispatched"


def test_no_queue_is_always_asked_first(ledger: Ledger, bell: Bell, rung: Rung) -> None:
    rung(*(Dry(wall_id=uuid4()) for _ in range(2)))
    rung(*(Knock(wall_id=uuid4()) for _ in range(2)), queue="knocks")
    tap = intake(ledger, bell, queues=("walls", "knocks"), room=1)
    kinds = []
    for _ in range(4):
        (claimed,) = tap.fetch(0.05)
        tap.forget([(claimed.id, claimed.fence)])
        assert tap.crew.next() is None
        kinds.append(claimed.kind)
    assert kinds[:2] == kinds[2:]
    assert sorted(kinds) == ["walls.dry", "walls.dry", "walls.knock", "walls.knock"]


def test_what_could_not_be_claimed_is_put_back_at_the_head_in_its_order(ledger: Ledger, bell: Bell, rung: Rung) -> None:
    ids = rung(*(Dry(wall_id=uuid4()) for _ in range(4)))
    with nowhere() as database:
        broken = intake(ledger, bell, room=2, database=database)
        assert broken.fetch(0.05) == []
        assert broken.budget.held == 0
    assert [job.id for job in intake(ledger, bell).fetch(0.05)] == ids


def test_what_was_claimed_though_the_answer_was_lost_is_given_back_at_the_next_look(
    ledger: Ledger, bell: Bell, rung: Rung
) -> None:
    (job_id,), (other,) = rung(Dry(wall_id=uuid4())), rung(Knock(wall_id=uuid4()), queue="knocks")
    url = ledger.worker.url
    assert url.port is not None
    with lossy_line(url.port) as line:
        database = engine(url.set(port=line.port).render_as_string(hide_password=False), 1)
        tap = intake(ledger, bell, queues=("walls",), database=database)
        line.lose(1, of=b"claim_v1")
        assert tap.fetch(0.05) == []
        assert (ledger.job(job_id).state, ledger.job(job_id).worker_id) == ("running", ledger.me)
        assert tap.fetch(0.05) == []
        assert (ledger.job(job_id).state, ledger.job(job_id).attempt, tap.budget.held) == ("available", 0, 0)
        knocks = intake(ledger, bell, queues=("knocks",), database=database)
        line.lose(1, of=b"claim_v1")
        assert knocks.fetch(0.05) == []
        assert ledger.job(other).attempt == 1  # started by its claim
        assert knocks.give_back_all() == 0  # as a process that stops
        assert (ledger.job(other).state, ledger.job(other).attempt) == ("available", 0)
        database.dispose()


def test_doubts_touch_nothing_that_another_has_taken_meanwhile(ledger: Ledger) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    tokens = ledger.dispatched()
    assert ledger.claimed(tokens=tokens)
    with ledger.worker.begin() as db:
        assert disclaim(db, uuid4(), tokens) == 0
        assert disclaim(db, ledger.me, [(job_id, fence + 1) for _, fence in tokens]) == 0
    assert ledger.job(job_id).state == "running"
    with ledger.worker.begin() as db:
        assert disclaim(db, ledger.me, tokens) == 1
    with ledger.admin.begin() as db:
        db.execute(text("SELECT ledger.cancel_job_v1(:id)"), {"id": job_id})
    with ledger.worker.begin() as db:
        assert disclaim(db, ledger.me, tokens) == 0
    assert ledger.job(job_id).state == "cancelled"


def test_an_unheard_worker_claims_nothing_that_it_would_only_give_back(ledger: Ledger, bell: Bell, rung: Rung) -> None:
    (job_id,) = rung(Dry(wall_id=uuid4()))
    deaf = Intake(ledger.worker, bell, ledger.registry, ledger.me, ["walls"], Budget(1), heard=lambda: False)
    assert deaf.fetch(0.05) == []
    assert ledger.job(job_id).state == "dispatched"
    assert [job.id for job in intake(ledger, bell).fetch(0.05)] == [job_id]


@pytest.fixture
def closed_redis() -> str:
    return f"redis://{LOOPBACK}:{free_port()}/0"


@pytest.fixture
def refusing_redis(redis_url: str) -> Iterator[str]:
    """A Redis at which our password is none."""
    with redis.Redis.from_url(redis_url) as client:
        client.acl_setuser("stranger", enabled=True, passwords=["+right"])
        yield redis_url.replace("redis://", "redis://stranger:wrong@")
        client.acl_deluser("stranger")


@pytest.fixture
def hanging_redis() -> Iterator[str]:
    """A server that accepts and never says a word."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield f"redis://{LOOPBACK}:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("which", ["closed_redis", "refusing_redis", "hanging_redis"])
def test_without_redis_jobs_come_straight_from_the_ledger(
    ledger: Ledger, which: str, request: pytest.FixtureRequest
) -> None:
    new = ledger.enqueue(Dry(wall_id=uuid4()))
    lost = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.dispatched(room=1)
    ledger.sql("UPDATE ledger.jobs SET dispatched_at = now() - interval '3 s' WHERE state = 'dispatched'")
    client = connect(request.getfixturevalue(which))
    began = monotonic()
    claimed = intake(ledger, Bell(client)).fetch(0.05)
    assert {job.id for job in claimed} == {new, lost}
    assert monotonic() - began < LONGEST_WAIT + 4, "a Redis that hangs is noticed"
    client.close()


def test_without_redis_no_more_is_taken_than_there_is_room_for(ledger: Ledger, closed_redis: str) -> None:
    for _ in range(3):
        ledger.enqueue(Dry(wall_id=uuid4()))
        ledger.enqueue(Knock(wall_id=uuid4()))
    client = connect(closed_redis)
    assert len(intake(ledger, Bell(client), queues=("walls", "knocks"), room=2).fetch(0.01)) == 2
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'available'") == 4
    client.close()


def test_with_neither_redis_nor_ledger_nothing_comes_and_nothing_breaks(ledger: Ledger, closed_redis: str) -> None:
    client = connect(closed_redis)
    with nowhere() as database:
        assert intake(ledger, Bell(client), database=database).fetch(0.01) == []
    client.close()


class ClosingBell(Bell):
    """A bell whose process is told to stop in the middle of a pop."""

    closes: Intake

    def pop(self, queues: Sequence[str], most: int, wait: float = LONGEST_WAIT) -> tuple[str, list[Token]]:
        popped = super().pop(queues, most, wait)
        self.closes.close()
        return popped


def test_a_tap_closed_while_it_claims_gives_back_only_what_it_just_took(
    ledger: Ledger, redis_url: str, rung: Rung
) -> None:
    (running,) = rung(Dry(wall_id=uuid4()))
    client = connect(redis_url)
    bell = ClosingBell(client)
    tap = intake(ledger, bell)
    bell.closes = intake(ledger, bell)  # another's
    assert [job.id for job in tap.fetch(0.05)] == [running]
    (late,) = rung(Dry(wall_id=uuid4()))
    bell.closes = tap
    assert tap.fetch(0.05) == []
    assert (ledger.job(late).state, ledger.job(late).attempt) == ("available", 0)
    assert ledger.job(running).state == "running"
    assert tap.budget.held == 1
    assert tap.fetch(0.05) == []
    assert tap.give_back_all() == 1
    assert ledger.job(running).state == "available"
    client.close()


class BrokenBell(Bell):
    """A bell with a bug."""

    def pop(self, queues: Sequence[str], most: int, wait: float = LONGEST_WAIT) -> tuple[str, list[Token]]:
        raise KeyError("+447700900123")


def test_no_error_leaves_the_tap(ledger: Ledger, redis_url: str) -> None:
    client = connect(redis_url)
    assert next(Tap(intake(ledger, BrokenBell(client)), 0.01)) is None
    client.close()


def test_dramatiq_carries_the_id_and_the_fence_alone(ledger: Ledger, bell: Bell, rung: Rung) -> None:
    wall = uuid4()
    rung(Dry(wall_id=wall))
    tap = Tap(intake(ledger, bell), 0.05)
    carried = next(tap)
    assert carried is not None
    (claimed,) = list(tap._intake._held.values())
    assert carried.args == (claimed.id, claimed.fence)
    assert not carried.kwargs
    assert not carried.options
    assert str(wall) not in repr(carried.asdict())
    assert (carried.actor_name, carried.message_id) == (claimed.kind, f"{claimed.id}:{claimed.fence}")
