"""A worker killed where a job fails, ends, goes on or is completed with others, and before it has asked anybody."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.enqueue import enqueue
from ledger.payload import Payload
from sandbox.ports import LOOPBACK
from tests.chaos.proof import prove
from tests.chaos.small.kinds import EFFECTS, Pass, Quit, Stumble, Walk
from tests.chaos.small.outcome import prepare, worker
from tests.chaos.vendors import requests
from tests.chaos.world import World

SUMMARIZE = "conversations.summarize"
SHARE = "LOCK TABLE ledger.jobs IN SHARE MODE"
LOST = "SELECT j.kind FROM ledger.jobs j JOIN ledger.attempts a ON a.job_id = j.id WHERE a.outcome = 'lost'"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'nexara_worker' AND state = 'idle in transaction'"


def test_a_worker_killed_while_jobs_fail_end_and_go_on_undoes_each_and_does_it_once(world: World) -> None:
    prepare(world)
    world.dispatcher().up()
    killed = worker(world).up()
    subjects: dict[UUID, type[Payload]] = {}
    with (
        world.hold("LOCK TABLE ledger.attempts IN ACCESS EXCLUSIVE MODE") as attempts,
        world.hold("LOCK TABLE chaos.effects IN SHARE MODE") as effects,
    ):
        subjects[_asked(world, Quit)] = Quit
        attempts.waited_for("begin_end_v1")
        subjects[_asked(world, Walk)] = Walk
        effects.waited_for("INSERT")  # its first batch is completed, and its effect being written, in one transaction
        killed.kill()
    _finish(world)
    assert sorted(row.kind for row in world.sql(LOST)) == [Quit.kind, Walk.kind]
    assert _effects(world) == Counter({**_once(subjects, Walk), **{(s, "quit"): 1 for s in _of(subjects, Quit)}})
    assert world.value("SELECT state FROM ledger.jobs WHERE kind = 'small.quit'") == "dead"


def test_a_worker_killed_while_a_failure_is_recorded_tries_again_as_if_it_had_not_been(world: World) -> None:
    prepare(world)
    world.dispatcher().up()
    killed = worker(world).up()
    with world.hold("LOCK TABLE ledger.attempts IN ACCESS EXCLUSIVE MODE") as attempts:
        subject = _asked(world, Stumble)
        attempts.waited_for("fail_v1")
        killed.kill()
    _finish(world)
    assert [row.kind for row in world.sql(LOST)] == [Stumble.kind]
    assert _effects(world) == Counter({(subject, "stumble"): 1})


def test_a_worker_killed_between_the_claim_and_the_completion_of_a_set_costs_an_attempt_each_and_no_job(
    world: World,
) -> None:
    prepare(world)
    subjects = [_asked(world, Pass) for _ in range(5)]
    world.dispatcher()
    world.until(lambda: world.value("SELECT count(*) FROM ledger.jobs WHERE state = 'dispatched'") == 5, "dispatched")
    with world.hold(SHARE) as claims, world.queued(SHARE) as completes:
        killed = worker(world)
        claims.waited_for("claim_v1")
        completes.queue()
        claims.release()
        completes.waited_for("complete_many_v1")
        killed.kill()
    _finish(world)
    ended = world.sql("SELECT state, attempt FROM ledger.jobs")
    # The statement that the dead worker had sent may be done all the same: the jobs were run, and nobody is told.
    assert {row.state for row in ended} == {"succeeded"}
    assert len(ended) == len(subjects)
    assert len(world.sql(LOST)) in (0, len(subjects))


@contextmanager
def _silent() -> Iterator[str]:
    """Lend the address of a vendor that takes a call and never hears a word of it."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield f"http://{LOOPBACK}:{server.getsockname()[1]}"


def test_a_worker_killed_between_what_it_loaded_and_its_call_has_paid_nobody(world: World) -> None:
    world.dispatcher()
    with _silent() as nobody:
        killed = world.worker(ANTHROPIC_BASE_URL=nobody).up()
        talk = world.web.chat()
        world.until(lambda: world.job(SUMMARIZE, talk.id).started_at, "it is started")
        # Loaded and committed: it holds no transaction, and nothing of it has arrived.
        world.until(lambda: killed.worker_id and not world.value(OPEN), "its transaction is committed")
        killed.kill()
    assert requests(world.vendors.anthropic) == []
    world.worker()
    world.finish()
    prove(world, lost=1)


def _asked(world: World, kind: type[Payload]) -> UUID:
    """Enqueue a job as the web tier, and return its subject."""
    subject = uuid4()
    with Session(world.web.engine) as db, db.begin():
        db.execute(text("SELECT nexara.act_for(:business)"), {"business": world.web.business})
        enqueue(db, kind(subject_id=subject))
    return subject


def _finish(world: World) -> None:
    worker(world)
    seconds = world.until(lambda: not world.open_jobs(), "all jobs ended")
    print(f"all ended {seconds:.1f} s after the next worker was started")


def _effects(world: World) -> Counter[tuple[UUID, str]]:
    return Counter(tuple(row) for row in world.sql("SELECT subject_id, step FROM chaos.effects"))


def _of(subjects: dict[UUID, type[Payload]], kind: type[Payload]) -> list[UUID]:
    return [subject for subject, its in subjects.items() if its is kind]


def _once(subjects: dict[UUID, type[Payload]], kind: type[Payload]) -> dict[tuple[UUID, str], int]:
    return {(subject, step): 1 for subject in _of(subjects, kind) for step in EFFECTS[kind]}
