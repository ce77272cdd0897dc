"""A batch of jobs: opened, filled, sealed, complete; and who may do what with it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.batch import Batch, batch, my_batches, open_batch, stand
from ledger.claim import complete_many
from ledger.enqueue import enqueue
from tests.ledger.batching import (
    BAD,
    GOOD,
    HOUSE,
    THEN,
    completed_as_a_set,
    counts,
    followed,
    kept,
    made,
    refused,
    see,
    settle,
)
from tests.ledger.kinds import Dry, Knock, Paint


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
    completed_as_a_set(ledger)
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
    batch_id, _ = made(web, Knock(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.job_kinds SET fields = '{}' WHERE kind = 'walls.dry'")
    completed_as_a_set(ledger)
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


def test_a_follow_up_that_reads_its_batch_is_told_how_the_jobs_ended(ledger: Any, web: Any) -> None:
    batch_id = uuid4()
    with web() as db, batch(db, then=Paint(wall_id=batch_id), batch_id=batch_id) as opened:
        opened.enqueue(Knock(wall_id=uuid4()))
    completed_as_a_set(ledger)
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
    completed_as_a_set(ledger)
    for _ in range(3):
        a_house_job_prunes()
    assert pruned == [0, 1, 1, 0]
    for table in ("batches", "batch_members", "batch_follow_ups"):
        assert ledger.sql(f"SELECT count(*) FROM ledger.{table}") == 0, table
