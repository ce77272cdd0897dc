"""A batch completes exactly once, when all of its jobs have ended in whatever way, and what follows is then enqueued."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import clock, operate
from ledger.batch import Batch, batch, my_batches, open_batch, stand
from ledger.claim import claim, complete_many, give_back
from ledger.dispatch import settle_batches
from ledger.enqueue import enqueue
from ledger.errors import GiveUp, TryAgain
from ledger.outcome import Cancel, Snooze
from ledger.watch import heartbeat, rescue
from tests.ledger.kinds import Count, Dry, Knock, Paint

THEN, GOOD, BAD = (Dry(wall_id=UUID(int=n)) for n in (1, 2, 3))
HOUSE = UUID(int=0)


@pytest.fixture
def web(ledger: Any) -> Any:
    """Return what opens a transaction of the web tier, which acts for the first business unless another is named."""

    class Acting:
        def __init__(self, business: UUID) -> None:
            self.session = Session(ledger.web)
            self.business = business

        def __enter__(self) -> Session:
            self.session.begin()
            self.session.execute(text("SELECT nexara.act_for(:id)"), {"id": self.business})
            return self.session

        def __exit__(self, error: object, *_: object) -> None:
            self.session.rollback() if error else self.session.commit()
            self.session.close()

    return lambda business=None: Acting(business or ledger.business)


def made(web: Any, *payloads: Any, **follow: Any) -> tuple[UUID, list[int]]:
    """Enqueue a sealed batch; return its id and its jobs."""
    with web() as db, batch(db, **(follow or {"then": THEN})) as opened:
        return opened.id, [opened.enqueue(payload) for payload in payloads]


def settle(ledger: Any) -> int:
    """Take up all that there is, as the dispatcher does."""
    settled = 0
    while True:
        with ledger.worker.begin() as db:
            more = settle_batches(db)
        if not more:
            return settled
        settled += more


def followed(ledger: Any, batch_id: UUID) -> dict[str, list[int]]:
    """Return the jobs that followed, by the wall that says which of the three they are."""
    found: dict[str, list[int]] = {"then": [], "good": [], "bad": []}
    with ledger.admin.begin() as db:
        rows = db.execute(text("SELECT id, payload ->> 'wall_id' AS wall FROM ledger.jobs WHERE kind = 'walls.dry'"))
        for row in rows:
            if UUID(row.wall).int in (1, 2, 3):
                found[("then", "good", "bad")[UUID(row.wall).int - 1]].append(row.id)
        told = db.execute(text("SELECT job_id FROM ledger.batch_follow_ups WHERE batch_id = :id"), {"id": batch_id})
        assert {row.job_id for row in told if row.job_id} == {job for jobs in found.values() for job in jobs}
    return found


def see(ledger: Any, batch_id: UUID) -> Any:
    with ledger.worker.begin() as db:
        return stand(db, batch_id)


def counts(ledger: Any, batch_id: UUID) -> tuple[int, int, int, int, int]:
    now = see(ledger, batch_id)
    return now.open, now.succeeded, now.dead, now.cancelled, now.discarded


def kept(ledger: Any, batch_id: UUID) -> Any:
    with ledger.admin.begin() as db:
        return db.execute(text("SELECT * FROM ledger.batches WHERE id = :id"), {"id": batch_id}).one()


def test_what_follows_is_enqueued_once_when_the_last_job_has_ended(ledger: Any, web: Any) -> None:
    batch_id, jobs = made(web, Knock(wall_id=uuid4()), Knock(wall_id=uuid4()), then=THEN)
    first, second = ledger.claimed("knocks")
    with ledger.worker.begin() as db:
        complete_many(db, [(first.id, first.fence)])
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("sealed", (1, 1, 0, 0, 0))
    assert followed(ledger, batch_id)["then"] == []
    with ledger.worker.begin() as db:
        complete_many(db, [(second.id, second.fence)])
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("complete", (0, 2, 0, 0, 0))
    assert len(followed(ledger, batch_id)["then"]) == 1
    assert settle(ledger) == 0
    assert sorted(jobs) == sorted((first.id, second.id))


def test_a_batch_that_is_still_being_filled_completes_only_once_it_is_sealed(ledger: Any, web: Any) -> None:
    with web() as db:
        opened = open_batch(db, then=THEN)
        opened.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    assert (see(ledger, opened.id).state, counts(ledger, opened.id)) == ("open", (0, 1, 0, 0, 0))
    with web() as db:
        Batch(db, opened.id).enqueue(Dry(wall_id=uuid4()))
    with web() as db:
        Batch(db, opened.id).seal()
    assert see(ledger, opened.id).state == "sealed"
    ledger.run()
    settle(ledger)
    assert see(ledger, opened.id).state == "complete"
    assert len(followed(ledger, opened.id)["then"]) == 1


def test_an_empty_batch_completes_as_it_is_sealed(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, then=THEN, if_succeeded=GOOD, if_died=BAD)
    assert see(ledger, batch_id).state == "complete"
    assert {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()} == {"then": 1, "good": 1, "bad": 0}
    with web() as db:
        Batch(db, batch_id).seal()  # once more is as good as once
    settle(ledger)
    assert len(followed(ledger, batch_id)["then"]) == 1


def test_a_batch_whose_jobs_ended_before_it_was_sealed_completes_as_it_is_sealed(ledger: Any, web: Any) -> None:
    with web() as db:
        opened = open_batch(db, then=THEN)
        opened.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    with web() as db:
        Batch(db, opened.id).seal()
    assert see(ledger, opened.id).state == "complete"


def test_nothing_of_a_batch_is_there_if_its_transaction_is_rolled_back(ledger: Any, web: Any) -> None:
    with pytest.raises(ZeroDivisionError), web() as db, batch(db, then=THEN) as opened:
        opened.enqueue(Dry(wall_id=uuid4()))
        raise ZeroDivisionError
    for table in ("jobs", "batches", "batch_members", "batch_follow_ups"):
        assert ledger.sql(f"SELECT count(*) FROM ledger.{table}") == 0


def succeeds(ledger: Any, on_call: Engine, job: int) -> None:
    assert [ended.state for ended in ledger.run()] == ["succeeded"]


def completed_as_a_set(ledger: Any, on_call: Engine, job: int) -> None:
    (held,) = ledger.claimed("knocks")
    with ledger.worker.begin() as db:
        complete_many(db, [(held.id, held.fence)])


def gives_up(ledger: Any, on_call: Engine, job: int) -> None:
    def fails(_: Any) -> str:
        raise GiveUp("hopeless")

    ledger.script.call = fails
    ledger.run()


def runs_out_of_attempts(ledger: Any, on_call: Engine, job: int) -> None:
    def fails(_: Any) -> str:
        raise TryAgain("down")

    ledger.script.call = fails
    for _ in range(3):
        ledger.sql("UPDATE ledger.jobs SET state = 'available' WHERE state = 'retryable'")
        ledger.run()


def handler_cancels(ledger: Any, on_call: Engine, job: int) -> None:
    ledger.script.load = lambda db, wall: Cancel("nothing_to_paint")
    ledger.run()


def cancelled_while_it_waits(ledger: Any, on_call: Engine, job: int) -> None:
    with on_call.begin() as db:
        operate.cancel(db, job)


def cancelled_while_it_runs(ledger: Any, on_call: Engine, job: int) -> None:
    (held,) = ledger.claimed("walls")
    with on_call.begin() as db:
        operate.cancel(db, job)
    with ledger.worker.begin() as db:
        give_back(db, [(held.id, held.fence)])


def cancelled_between_two_of_its_batches(ledger: Any, on_call: Engine, job: int) -> None:
    (held,) = ledger.claimed("walls")
    with on_call.begin() as db:
        operate.cancel(db, job)
    assert ledger.runner.run(held).state == "cancelled"


def discarded_by_hand(ledger: Any, on_call: Engine, job: int) -> None:
    with on_call.begin() as db:
        operate.discard(db, job)


def dies_with_its_worker(ledger: Any, on_call: Engine, job: int) -> None:
    ledger.sql("UPDATE ledger.jobs SET rescues = 2 WHERE id = :id", id=job)
    (held,) = ledger.claimed("walls")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
    _rescue(ledger)


def past_its_deadline(ledger: Any, on_call: Engine, job: int) -> None:
    with ledger.worker.begin() as db:
        heartbeat(db, ledger.me, 8, [])
    ledger.sql("UPDATE ledger.jobs SET attempt = 7, max_attempts = 8 WHERE id = :id", id=job)
    (held,) = ledger.claimed("walls")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
    ledger.sql("UPDATE ledger.jobs SET deadline_at = now() - interval '1 s' WHERE id = :id", id=job)
    with ledger.worker.begin() as db:
        rescue(db, timedelta(milliseconds=500))
    assert ledger.job(job).reason == "past_deadline"


def goes_on_to_its_end(ledger: Any, on_call: Engine, job: int) -> None:
    while ledger.run():
        settle(ledger)


def erased_before_it_ran(ledger: Any, on_call: Engine, job: int) -> None:
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=job)


def _rescue(ledger: Any) -> None:
    ledger.sql("UPDATE ledger.jobs SET deadline_at = now() - interval '1 s', claimed_at = now() - interval '1 day'")
    with ledger.worker.begin() as db:
        rescue(db, timedelta(milliseconds=10))


ENDS: dict[str, tuple[Any, Any, str]] = {
    "succeeds": (Dry, succeeds, "succeeded"),
    "completed_as_a_set": (Knock, completed_as_a_set, "succeeded"),
    "goes_on_to_its_end": (Count, goes_on_to_its_end, "succeeded"),
    "gives_up": (Paint, gives_up, "dead"),
    "runs_out_of_attempts": (Paint, runs_out_of_attempts, "dead"),
    "dies_with_its_worker": (Dry, dies_with_its_worker, "dead"),
    "past_its_deadline": (Dry, past_its_deadline, "dead"),
    "handler_cancels": (Paint, handler_cancels, "cancelled"),
    "cancelled_while_it_waits": (Dry, cancelled_while_it_waits, "cancelled"),
    "cancelled_while_it_runs": (Dry, cancelled_while_it_runs, "cancelled"),
    "cancelled_between_two_of_its_batches": (Count, cancelled_between_two_of_its_batches, "cancelled"),
    "discarded_by_hand": (Dry, discarded_by_hand, "discarded"),
    "erased_before_it_ran": (Dry, erased_before_it_ran, "discarded"),
}


@pytest.mark.parametrize("way", ENDS)
def test_a_batch_completes_in_whatever_way_its_job_ends(ledger: Any, web: Any, on_call: Engine, way: str) -> None:
    kind, end, state = ENDS[way]
    batch_id, (job,) = made(web, kind(wall_id=uuid4()), then=THEN, if_succeeded=GOOD, if_died=BAD)
    settle(ledger)
    assert see(ledger, batch_id).state == "sealed"
    end(ledger, on_call, job)
    settle(ledger)
    kept_counts = {
        name: getattr(kept(ledger, batch_id), name) for name in ("succeeded", "dead", "cancelled", "discarded")
    }
    assert kept_counts == {name: int(name == state) for name in kept_counts}
    came = {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()}
    assert came == {"then": 1, "good": int(state == "succeeded"), "bad": int(state == "dead")}


def fails(ledger: Any, held: Any) -> None:
    def down(_: Any) -> str:
        raise TryAgain("down")

    ledger.script.call = down
    assert ledger.runner.run(held).state == "retryable"


def parks(ledger: Any, held: Any) -> None:
    park = "SELECT ledger.fail_v1(:id, :fence, '{\"outcome\": \"bug\"}', 'parked', NULL, 'no_key', false)"
    with ledger.worker.begin() as db:
        assert db.execute(text(park), {"id": held.id, "fence": held.fence}).scalar() == "parked"


def is_rescued(ledger: Any, held: Any) -> None:
    _rescue(ledger)
    assert ledger.job(held.id).state == "available"


def is_given_back(ledger: Any, held: Any) -> None:
    with ledger.worker.begin() as db:
        assert give_back(db, [(held.id, held.fence)]) == 1


def is_put_off(ledger: Any, held: Any) -> None:
    ledger.script.load = lambda db, wall: Snooze(clock.now() + timedelta(hours=1))
    assert ledger.runner.run(held).state == "scheduled"


def goes_on(ledger: Any, held: Any) -> None:
    assert ledger.runner.run(held).state == "available"


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (Paint, fails),
        (Paint, parks),
        (Paint, is_rescued),
        (Paint, is_given_back),
        (Paint, is_put_off),
        (Count, goes_on),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_job_that_will_run_again_has_not_ended(ledger: Any, web: Any, kind: Any, way: Any) -> None:
    batch_id, _ = made(web, kind(wall_id=uuid4()))
    (held,) = ledger.claimed("walls")
    way(ledger, held)
    settle(ledger)
    assert (see(ledger, batch_id).state, see(ledger, batch_id).open) == ("sealed", 1)
    assert followed(ledger, batch_id)["then"] == []


def test_what_follows_is_one_chain_with_the_jobs_of_the_batch(ledger: Any, web: Any) -> None:
    batch_id, jobs = made(web, Dry(wall_id=uuid4()), Dry(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    root = kept(ledger, batch_id).root_id
    (then,) = followed(ledger, batch_id)["then"]
    assert {ledger.job(job).root_id for job in [*jobs, then]} == {root}


def test_a_batch_that_a_job_opens_stays_in_the_chain_of_that_job(ledger: Any) -> None:
    opened: list[UUID] = []

    def save(db: Session, wall: UUID, answer: str) -> None:
        with batch(db, then=THEN) as mine:
            mine.enqueue(Knock(wall_id=uuid4()))
        opened.append(mine.id)

    ledger.script.save = save
    job = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    completed_as_a_set(ledger, ledger.admin, 0)
    settle(ledger)
    (then,) = followed(ledger, opened[0])["then"]
    assert ledger.job(then).root_id == kept(ledger, opened[0]).root_id == job


def test_a_job_of_a_sealed_batch_adds_to_it_and_the_batch_waits_for_these_too(ledger: Any, web: Any) -> None:
    def save(db: Session, wall: UUID, answer: str) -> None:
        (mine,) = my_batches(db)
        mine.enqueue_many([Knock(wall_id=uuid4()), Knock(wall_id=uuid4())])

    ledger.script.save = save
    batch_id, _ = made(web, Paint(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("sealed", (2, 1, 0, 0, 0))
    with ledger.worker.begin() as db:
        complete_many(db, [(held.id, held.fence) for held in ledger.claimed("knocks")])
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("complete", (0, 3, 0, 0, 0))


def test_a_job_that_ends_without_success_adds_what_must_happen_all_the_same(ledger: Any, web: Any) -> None:
    """`otherwise` enqueues a follow-up; added to the batch in the transaction that ends the job, it is waited for."""
    batch_id, (job,) = made(web, Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()
    known = {"id": held.id, "fence": held.fence}
    with Session(ledger.worker) as db, db.begin():
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with Session(ledger.worker) as db, db.begin():
        end = "SELECT ledger.begin_end_v1(:id, :fence, 'dead', 'gave_up', '{\"outcome\": \"gave_up\"}')"
        assert db.execute(text(end), known).scalar()
        (mine,) = my_batches(db)
        mine.enqueue(Knock(wall_id=uuid4()))
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 0, 1, 0, 0)
    completed_as_a_set(ledger, ledger.admin, 0)
    settle(ledger)
    assert see(ledger, batch_id).state == "complete"
    assert ledger.job(job).state == "dead"


def refused(action: Any) -> tuple[str, str]:
    with pytest.raises(DBAPIError) as caught:
        action()
    diagnosis = caught.value.orig
    return diagnosis.sqlstate, diagnosis.diag.message_primary  # type: ignore[union-attr]


def test_a_sealed_batch_takes_no_job_of_others(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, Dry(wall_id=uuid4()))

    def add() -> None:
        with web() as db:
            Batch(db, batch_id).enqueue(Dry(wall_id=uuid4()))

    assert refused(add) == ("22023", "this batch is sealed: only its own jobs may still add to it")
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 1

    def save(db: Session, wall: UUID, answer: str) -> None:
        Batch(db, batch_id).enqueue(Dry(wall_id=uuid4()))

    ledger.script.save = save
    stranger = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    assert ledger.job(stranger).state == "retryable"


def test_a_job_that_lost_its_fence_adds_nothing(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()

    def add() -> None:
        with Session(ledger.worker) as db, db.begin():
            db.execute(text("SELECT set_config('nexara.job', :id, true)"), {"id": str(held.id)})
            db.execute(text("SET LOCAL ROLE tenant_job"))
            assert my_batches(db) == []
            Batch(db, batch_id).add([held.id])

    assert refused(add)[0] == "NX001"


def test_one_business_adds_nothing_to_anothers_batch_and_does_not_see_it(ledger: Any, web: Any) -> None:
    with web() as db:
        opened = open_batch(db, then=THEN)
    ours = ledger.enqueue(Dry(wall_id=uuid4()))
    theirs = ledger.enqueue(Dry(wall_id=uuid4()), ledger.other)
    for act in (
        lambda mine: mine.enqueue(Dry(wall_id=uuid4())),
        lambda mine: mine.add([ours]),
        lambda mine: mine.seal(),
        lambda mine: stand(mine.db, mine.id),
    ):

        def attempt(act: Any = act) -> None:
            with web(ledger.other) as db:
                act(Batch(db, opened.id))

        assert refused(attempt) == ("22023", "there is no such batch")

    def take_theirs() -> None:
        with web() as db:
            Batch(db, opened.id).add([ours, theirs])

    assert refused(take_theirs)[1] == "a batch holds jobs of its own business, and one that was named is none"

    def for_another() -> None:
        with web() as db:
            open_batch(db, then=THEN, business_id=ledger.other)

    assert refused(for_another)[0] == "42501"
    assert (see(ledger, opened.id).state, see(ledger, opened.id).members) == ("open", 0)


def test_a_job_of_one_business_adds_nothing_to_anothers_batch(ledger: Any, web: Any) -> None:
    with web(ledger.other) as db:
        opened = open_batch(db, then=THEN)

    def save(db: Session, wall: UUID, answer: str) -> None:
        Batch(db, opened.id).enqueue(Dry(wall_id=uuid4()))

    ledger.script.save = save
    job = ledger.enqueue(Paint(wall_id=uuid4()))
    (ended,) = ledger.run()
    assert ended.state == "retryable"
    assert ledger.sql("SELECT count(*) FROM ledger.batch_members") == 0
    assert ledger.job(job).business_id == ledger.business


def test_a_batch_of_the_house_holds_jobs_of_every_business(ledger: Any) -> None:
    with Session(ledger.worker) as db, db.begin(), batch(db, then=THEN, business_id=HOUSE) as opened:
        for business in (ledger.business, ledger.other):
            opened.enqueue(Dry(wall_id=uuid4()), business_id=business)
    ledger.run()
    settle(ledger)
    (then,) = followed(ledger, opened.id)["then"]
    assert ledger.job(then).business_id == HOUSE


def test_an_open_job_of_the_same_key_joins_and_may_be_in_several_batches(ledger: Any, web: Any) -> None:
    wall = uuid4()
    there = ledger.enqueue(Paint(wall_id=wall))
    first, (twin,) = made(web, Paint(wall_id=wall))
    second, (again,) = made(web, Paint(wall_id=wall), if_succeeded=GOOD)
    assert there == twin == again
    assert ledger.job(there).root_id == there  # it keeps the chain that it came of
    settle(ledger)
    assert see(ledger, first).state == see(ledger, second).state == "sealed"
    ledger.run()
    settle(ledger)
    assert see(ledger, first).state == see(ledger, second).state == "complete"


def test_the_same_job_twice_is_one_member(ledger: Any, web: Any) -> None:
    wall = uuid4()
    batch_id, (one, other) = made(web, Paint(wall_id=wall), Paint(wall_id=wall))
    assert one == other
    assert see(ledger, batch_id).members == 1


def test_a_job_that_had_ended_before_counts_as_it_ended(ledger: Any, web: Any) -> None:
    job = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    with web() as db, batch(db, then=THEN) as opened:
        assert opened.add([job]) == 1
    assert (see(ledger, opened.id).state, counts(ledger, opened.id)) == ("complete", (0, 1, 0, 0, 0))


def test_a_job_that_a_newer_twin_supersedes_leaves_its_place_to_it(ledger: Any, web: Any) -> None:
    wall = uuid4()
    batch_id, (old,) = made(web, Paint(wall_id=wall), then=THEN, if_succeeded=GOOD)
    (held,) = ledger.claimed()
    newer = ledger.enqueue(Paint(wall_id=wall))
    with ledger.worker.begin() as db:
        give_back(db, [(held.id, held.fence)])
    assert (ledger.job(old).state, ledger.job(old).reason) == ("discarded", "superseded")
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("sealed", (1, 0, 0, 0, 0))
    (ended,) = ledger.run()
    assert (ended.job_id, ended.state) == (newer, "succeeded")
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("complete", (0, 1, 0, 0, 0))
    assert len(followed(ledger, batch_id)["good"]) == 1


def test_a_dead_job_that_is_retried_before_the_batch_completed_is_waited_for_again(
    ledger: Any, web: Any, on_call: Engine
) -> None:
    batch_id, jobs = made(web, Paint(wall_id=uuid4()), Knock(wall_id=uuid4()), then=THEN, if_died=BAD)
    gives_up(ledger, on_call, jobs[0])
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 0, 1, 0, 0)
    with on_call.begin() as db:
        operate.retry(db, jobs[0])
    completed_as_a_set(ledger, on_call, jobs[1])
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("sealed", (1, 1, 0, 0, 0))
    ledger.script.call = lambda wall: "painted"
    ledger.run()
    settle(ledger)
    assert counts(ledger, batch_id) == (0, 2, 0, 0, 0)
    assert followed(ledger, batch_id)["bad"] == []


def test_a_dead_job_that_is_retried_after_the_batch_completed_changes_the_counts_alone(
    ledger: Any, web: Any, on_call: Engine
) -> None:
    batch_id, (job,) = made(web, Paint(wall_id=uuid4()), then=THEN, if_succeeded=GOOD, if_died=BAD)
    gives_up(ledger, on_call, job)
    settle(ledger)
    before = kept(ledger, batch_id)
    assert {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()} == {"then": 1, "good": 0, "bad": 1}
    with on_call.begin() as db:
        operate.retry(db, job)
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("complete", (1, 0, 0, 0, 0))

    def save(db: Session, wall: UUID, answer: str) -> None:
        (mine,) = my_batches(db)
        mine.enqueue(Knock(wall_id=uuid4()))

    ledger.script.call = lambda wall: "painted"
    ledger.script.save = save
    ledger.run()
    completed_as_a_set(ledger, on_call, job)
    settle(ledger)
    after = kept(ledger, batch_id)
    assert (after.succeeded, after.dead, after.completed_at) == (2, 0, before.completed_at)
    assert {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()} == {"then": 1, "good": 0, "bad": 1}


def test_a_dead_job_that_is_discarded_by_hand_changes_how_it_counts(ledger: Any, web: Any, on_call: Engine) -> None:
    batch_id, (job,) = made(web, Paint(wall_id=uuid4()))
    gives_up(ledger, on_call, job)
    settle(ledger)
    with on_call.begin() as db:
        operate.discard(db, job)
    settle(ledger)
    assert (kept(ledger, batch_id).dead, kept(ledger, batch_id).discarded) == (0, 1)


def test_members_that_were_pruned_keep_their_count(ledger: Any, web: Any) -> None:
    batch_id, (old, open_still) = made(web, Dry(wall_id=uuid4()), Knock(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=old)
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 1, 0, 0, 0)
    completed_as_a_set(ledger, ledger.admin, open_still)
    settle(ledger)
    assert (kept(ledger, batch_id).succeeded, kept(ledger, batch_id).discarded) == (2, 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "a batch says what follows it: then, if_succeeded or if_died"),
        ({"then": '{"kind": "walls.fall", "payload": {}}'}, "unknown kind of job: walls.fall"),
        ({"if_died": '{"kind": "walls.dry", "payload": {}}'}, "the payload of walls.dry lacks wall_id"),
        ({"then": '{"kind": "walls.dry"}'}, "the payload of walls.dry must be a JSON object"),
        ({"then": '"walls.dry"'}, "unknown kind of job"),
        (
            {"then": '{"kind": "walls.dry", "payload": {}, "priority": "+4915112345678"}'},
            "a priority is 0 (first) to 3 (last)",
        ),
    ],
)
def test_what_cannot_follow_is_refused_as_the_batch_is_opened(ledger: Any, given: dict[str, str], said: str) -> None:
    def attempt() -> None:
        with ledger.web.begin() as db:
            asked = {"then": None, "if_died": None, **given, "business": ledger.business}
            statement = "SELECT ledger.open_batch_v1(CAST(:then AS jsonb), NULL, CAST(:if_died AS jsonb), :business)"
            db.execute(text(statement), asked)

    assert refused(attempt) == ("22023", said)
    assert ledger.sql("SELECT count(*) FROM ledger.batches") == 0


def test_an_id_is_taken_once(ledger: Any, web: Any) -> None:
    batch_id = uuid4()
    with web() as db:
        open_batch(db, then=THEN, batch_id=batch_id)

    def once_more() -> None:
        with web(ledger.other) as db:
            open_batch(db, then=THEN, batch_id=batch_id)

    assert refused(once_more) == ("22023", "a batch of this id is there already")


def test_what_follows_is_not_lost_when_its_kind_has_changed_since(ledger: Any, web: Any) -> None:
    batch_id, (job,) = made(web, Knock(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.job_kinds SET fields = '{}' WHERE kind = 'walls.dry'")
    completed_as_a_set(ledger, ledger.admin, job)
    settle(ledger)
    (then,) = followed(ledger, batch_id)["then"]
    assert (ledger.job(then).state, ledger.job(then).payload) == ("available", THEN.stored())


def test_two_batches_whose_follow_up_has_one_key_share_the_open_one(ledger: Any, web: Any) -> None:
    after = Paint(wall_id=uuid4())
    first, _ = made(web, then=after)
    second, _ = made(web, then=after)
    shared = "SELECT count(DISTINCT job_id) FROM ledger.batch_follow_ups WHERE job_id IS NOT NULL"
    assert see(ledger, first).state == see(ledger, second).state == "complete"
    assert ledger.sql(shared) == 1


def test_many_that_end_together_wait_for_nobody_and_complete_it_once(ledger: Any, web: Any) -> None:
    """Eight workers end 400 jobs at once, while three dispatchers settle all the time."""
    with web() as db, batch(db, then=THEN, if_succeeded=GOOD) as opened:
        opened.enqueue_many(Knock(wall_id=uuid4()) for _ in range(400))
    held = ledger.claimed("knocks", ledger.dispatched("knocks", 1000))
    assert len(held) == 400
    parts = [held[n::8] for n in range(8)]
    start, done = threading.Barrier(11), threading.Event()

    def end(part: list[Any]) -> None:
        start.wait()
        for n in range(0, len(part), 5):
            with ledger.worker.begin() as db:
                complete_many(db, [(job.id, job.fence) for job in part[n : n + 5]])

    def keep_settling() -> int:
        start.wait()
        settled = 0
        while not done.is_set():
            with ledger.worker.begin() as db:
                settled += settle_batches(db)
        return settled

    with ThreadPoolExecutor(11) as pool:
        settling = [pool.submit(keep_settling) for _ in range(3)]
        for ending in [pool.submit(end, part) for part in parts]:
            ending.result()
        done.set()
        settled = sum(each.result() for each in settling)
    settled += settle(ledger)
    assert settled == 400 + 1
    assert {what: len(jobs) for what, jobs in followed(ledger, opened.id).items()} == {"then": 1, "good": 1, "bad": 0}
    assert kept(ledger, opened.id).succeeded == 400


def test_an_end_waits_for_no_other_end_of_its_batch(ledger: Any, web: Any) -> None:
    """One transaction has ended a job and does not commit; the other ends, and the look at them, go on."""
    batch_id, _ = made(web, *(Knock(wall_id=uuid4()) for _ in range(3)))
    first, second, third = ledger.claimed("knocks")
    with ledger.worker.connect() as slow, slow.begin():
        complete_many(slow, [(first.id, first.fence)])
        with ledger.worker.begin() as db:
            db.execute(text("SET LOCAL lock_timeout = '100ms'"))
            complete_many(db, [(second.id, second.fence), (third.id, third.fence)])
        with ledger.worker.begin() as db:
            db.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert settle_batches(db) == 2
        assert see(ledger, batch_id).state == "sealed"
    settle(ledger)
    assert see(ledger, batch_id).state == "complete"


def test_of_two_last_jobs_that_end_unseen_by_each_other_the_batch_completes(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, Knock(wall_id=uuid4()), Knock(wall_id=uuid4()))
    first, second = ledger.claimed("knocks")
    with ledger.worker.connect() as one, ledger.worker.connect() as other, one.begin(), other.begin():
        complete_many(one, [(first.id, first.fence)])
        complete_many(other, [(second.id, second.fence)])
        settle(ledger)
        assert counts(ledger, batch_id) == (2, 0, 0, 0, 0)
    settle(ledger)
    assert len(followed(ledger, batch_id)["then"]) == 1


def test_a_seal_waits_for_whoever_still_adds(ledger: Any, web: Any) -> None:
    with web() as db:
        opened = open_batch(db, then=THEN)
    sealed = threading.Event()

    def seal() -> None:
        with web() as db:
            Batch(db, opened.id).seal()
        sealed.set()

    with web() as adding:
        Batch(adding, opened.id).enqueue(Dry(wall_id=uuid4()))
        sealing = threading.Thread(target=seal)
        sealing.start()
        assert not sealed.wait(0.3)
    sealing.join()
    assert (see(ledger, opened.id).state, see(ledger, opened.id).open) == ("sealed", 1)


def test_a_batch_that_is_sealed_while_its_last_end_is_taken_up_completes(ledger: Any, web: Any) -> None:
    """Whoever looks first does not see what the other has not committed: the next look does."""
    with web() as db:
        opened = open_batch(db, then=THEN)
        opened.enqueue(Knock(wall_id=uuid4()))
    completed_as_a_set(ledger, ledger.admin, 0)
    with web() as sealing:
        Batch(sealing, opened.id).seal()  # it sees the job open: its note is not taken up
        with ledger.worker.begin() as db:
            assert settle_batches(db) == 1  # it sees the batch unsealed
    assert see(ledger, opened.id).state == "sealed"
    settle(ledger)
    assert see(ledger, opened.id).state == "complete"


def test_while_one_dispatcher_settles_another_passes_by(ledger: Any, web: Any) -> None:
    made(web, Knock(wall_id=uuid4()))
    completed_as_a_set(ledger, ledger.admin, 0)
    with ledger.worker.connect() as one, one.begin():
        assert settle_batches(one) == 2
        with ledger.worker.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert settle_batches(other) == 0


def test_a_dispatcher_killed_while_it_settles_leaves_all_to_the_next(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, Knock(wall_id=uuid4()))
    completed_as_a_set(ledger, ledger.admin, 0)
    with ledger.worker.connect() as killed:
        killed.begin()
        assert settle_batches(killed) == 2
        pid = killed.execute(text("SELECT pg_backend_pid()")).scalar()
        ledger.sql("SELECT pg_terminate_backend(:pid)", pid=pid)
        killed.invalidate()
    settle(ledger)
    assert len(followed(ledger, batch_id)["then"]) == 1
    assert kept(ledger, batch_id).succeeded == 1


def test_of_the_notes_of_one_job_the_last_counts_however_few_are_taken_up_at_once(
    ledger: Any, web: Any, on_call: Engine
) -> None:
    batch_id, (job,) = made(web, Dry(wall_id=uuid4()))
    for act in (operate.cancel, operate.retry, operate.discard, operate.retry):
        with on_call.begin() as db:
            act(db, job)
    with ledger.worker.begin() as db:
        assert settle_batches(db) == 1
    assert (see(ledger, batch_id).state, see(ledger, batch_id).open) == ("sealed", 1)
    assert ledger.sql("SELECT count(*) FROM ledger.batch_ends") == 0


def test_jobs_of_no_batch_write_no_note(ledger: Any, on_call: Engine) -> None:
    job = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    other = ledger.enqueue(Dry(wall_id=uuid4()))
    with on_call.begin() as db:
        operate.discard(db, other)
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=job)
    assert ledger.sql("SELECT count(*) FROM ledger.batch_ends") == 0


def test_a_follow_up_that_reads_its_batch_is_told_how_the_jobs_ended(ledger: Any, web: Any) -> None:
    batch_id = uuid4()
    with web() as db, batch(db, then=Paint(wall_id=batch_id), batch_id=batch_id) as opened:
        opened.enqueue(Knock(wall_id=uuid4()))
    completed_as_a_set(ledger, ledger.admin, 0)
    settle(ledger)
    told: list[Any] = []
    ledger.script.load = lambda db, wall: told.append(stand(db, wall)) or wall
    (ended,) = ledger.run()
    assert ended.state == "succeeded"
    assert (told[0].state, told[0].succeeded, told[0].dead) == ("complete", 1, 0)


def test_batches_are_forgotten_with_their_jobs_but_not_before_what_follows_is_done(ledger: Any, web: Any) -> None:
    made(web, Dry(wall_id=uuid4()), Dry(wall_id=uuid4()), then=Knock(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    ledger.sql("UPDATE ledger.batches SET completed_at = now() - interval '31 days'")
    pruned: list[int] = []

    def prune(db: Session, wall: UUID, answer: str) -> None:
        pruned.append(db.execute(text("SELECT ledger.prune_v1(now(), 1)")).scalar_one())

    ledger.script.save = prune

    def a_house_job_prunes() -> None:
        with Session(ledger.worker) as db, db.begin():
            enqueue(db, Paint(wall_id=uuid4()), business_id=HOUSE)
        while not [ended for ended in ledger.run() if ended.kind == "walls.paint"]:
            pass

    a_house_job_prunes()
    assert pruned == [0]
    completed_as_a_set(ledger, ledger.admin, 0)
    for _ in range(3):
        a_house_job_prunes()
    assert pruned == [0, 1, 1, 0]
    for table in ("batches", "batch_members", "batch_follow_ups"):
        assert ledger.sql(f"SELECT count(*) FROM ledger.{table}") == 0, table


def test_a_worker_that_claims_for_a_batch_of_thousands_settles_in_parts(ledger: Any, web: Any) -> None:
    with web() as db, batch(db, then=THEN) as opened:
        jobs = opened.enqueue_many(Knock(wall_id=uuid4()) for _ in range(2500))
    with ledger.worker.begin() as db:
        kinds = ledger.registry.kinds
        held = claim(db, ledger.me, kinds, ["walls.knock"], ledger.dispatched("knocks", 5000))
        complete_many(db, [(job.id, job.fence) for job in held])
    assert len(jobs) == len(held) == 2500
    parts = []
    while True:
        with ledger.worker.begin() as db:
            taken = settle_batches(db)
        if not taken:
            break
        parts.append(taken)
    assert parts == [1000, 1000, 501]
    assert len(followed(ledger, opened.id)["then"]) == 1
