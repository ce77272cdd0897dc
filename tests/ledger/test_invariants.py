"""Whatever happens in whatever order: no job is lost, no attempt finishes twice, only drawn arrows are walked."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from ledger import clock, operate
from ledger.batch import my_batches
from ledger.claim import claim, complete_many, give_back, refuse
from ledger.dispatch import dispatch, promote, ring_again, settle_pauses
from ledger.errors import GiveUp, Misconfigured, RateLimited, TryAgain
from ledger.outcome import Cancel, Known, Snooze
from ledger.pause import pause, pauses, resume
from ledger.watch import heartbeat, rescue
from models.ledger import OPEN
from tests.ledger.batch_rules import WALLS, BatchRules
from tests.ledger.kinds import Colour, Count, Dry, Hang, Knock, Paint

WORKERS = [UUID(int=n) for n in (11, 12)]
QUEUES = ("walls", "knocks", "pictures")

DRAWN = {
    ("scheduled", "available"),
    ("retryable", "available"),
    ("parked", "available"),
    ("available", "dispatched"),
    ("dispatched", "running"),
    ("running", "available"),  # given back, rescued, or again
    ("running", "succeeded"),
    ("succeeded", "available"),  # inside one transaction only: a batch that goes on
    ("running", "retryable"),
    ("running", "parked"),
    ("available", "parked"),  # paused
    ("dispatched", "parked"),
    ("dispatched", "available"),  # refused by a worker that does not know its kind
    ("running", "scheduled"),  # snoozed
    *((state, "cancelled") for state in ("scheduled", "retryable", "parked", "available", "dispatched")),
    ("succeeded", "cancelled"),  # inside one transaction only: a batch that would go on
    *((state, "scheduled") for state in ("available", "dispatched")),  # put off by hand
    ("running", "dead"),
    ("running", "cancelled"),
    ("running", "discarded"),  # superseded
    *(
        (state, "discarded")
        for state in ("scheduled", "retryable", "parked", "available", "dispatched", "dead", "cancelled")
    ),
    *((state, "available") for state in ("dead", "cancelled", "discarded")),
}

AUDIT = """
CREATE TABLE walked (n bigserial, job_id bigint, old text, new text, old_fence int, new_fence int, old_kind text);
CREATE TABLE effects (job_id bigint);
GRANT INSERT ON effects TO tenant_job;
CREATE FUNCTION walk() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $f$
BEGIN
  IF OLD.state <> NEW.state OR OLD.fence <> NEW.fence THEN
    INSERT INTO public.walked (job_id, old, new, old_fence, new_fence, old_kind)
    VALUES (NEW.id, OLD.state, NEW.state, OLD.fence, NEW.fence, NEW.kind);
  END IF;
  RETURN NULL;
END $f$;
CREATE TRIGGER walk AFTER UPDATE ON ledger.jobs FOR EACH ROW EXECUTE FUNCTION walk();
"""

OUTCOMES: dict[str, Any] = {
    "painted": None,
    "down": TryAgain("down"),
    "busy": RateLimited("busy", retry_after=5),
    "all_busy": RateLimited("busy", retry_after=5, vendor="gallery"),
    "hopeless": GiveUp("hopeless"),
    "no_key": Misconfigured("no_key", setting="KEY"),
    "bug": ValueError("a bug"),
}


def put_off(db: Any, job_id: int) -> None:
    operate.snooze(db, job_id, clock.now() + timedelta(hours=1))


LOADED: dict[str, Any] = {
    "painted": lambda: Known("known"),
    "hopeless": lambda: Cancel("nothing_to_paint"),
    "busy": lambda: Snooze(clock.now() + timedelta(hours=1)),
}


class Machine(BatchRules):
    """Two workers, a dispatcher, an operator and the clock, all at odds."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[tuple[int, int]] = []
        self.held: list[Any] = []

    @initialize()
    def empty(self) -> None:
        self.ledger.sql(
            "TRUNCATE ledger.jobs, ledger.attempts, ledger.kept_answers, ledger.workers, ledger.pauses, ledger.limits,"
            " walked, effects, ledger.batches, ledger.batch_members, ledger.batch_follow_ups, ledger.batch_ends"
        )
        with self.ledger.worker.begin() as db:
            for worker in WORKERS:
                heartbeat(db, worker, 8, [])
        for kind in (Paint, Dry, Hang):
            self.enqueue(uuid4(), kind, None)
        self.open_batch([uuid4(), uuid4()], Paint)
        self.open_batch([uuid4()], Count)
        self.open_batch([uuid4()], Knock)
        self.seal(self.filling[0])
        self.work_comes(WORKERS[0])

    @rule(worker=st.sampled_from(WORKERS))
    def work_comes(self, worker: UUID) -> None:
        """What is due reaches a worker, as it does nearly always."""
        self.time_passes()
        before = len(self.tokens)
        self.dispatch(4)
        self._claim(worker, self.tokens[before:])

    @rule(
        wall=st.sampled_from(WALLS),
        kind=st.sampled_from([Paint, Dry, Count, Knock, Hang]),
        colour=st.sampled_from([None, *Colour]),
    )
    def enqueue(self, wall: UUID, kind: type[Any], colour: Colour | None) -> None:
        more = {"colour": colour} if kind is Paint else {}
        self.enqueued.add(self.ledger.enqueue(kind(wall_id=wall, **more)))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def dies(self, data: Any) -> None:
        held = data.draw(st.sampled_from(self.held[-8:]))
        end = "SELECT ledger.end_v1(:id, :fence, 'dead', 'gave_up', '{\"outcome\": \"gave_up\"}')"
        with self.ledger.worker.begin() as db:
            db.execute(text(end), {"id": held.id, "fence": held.fence})

    @rule()
    def time_passes(self) -> None:
        self.ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE state IN ('retryable', 'scheduled')")
        self.ledger.sql("UPDATE ledger.limits SET blocked_until = NULL")
        with self.ledger.worker.begin() as db:
            promote(db)

    @rule(room=st.integers(1, 4))
    def dispatch(self, room: int) -> None:
        most = self.ledger.sql("SELECT most FROM ledger.limits WHERE subject = 'queue'")
        before = self._in_flight()
        for queue in QUEUES:
            with self.ledger.worker.begin() as db:
                self.tokens += [(job.id, job.fence) for job in dispatch(db, queue, [room] * 4)]
        assert most is None or self._in_flight() <= max(most, before)

    def _in_flight(self) -> int:
        flying: int = self.ledger.sql(
            "SELECT count(*) FROM ledger.jobs WHERE queue = 'walls' AND state IN ('dispatched', 'running')"
        )
        return flying

    @rule(subject=st.sampled_from(["queue", "business"]), most=st.sampled_from([None, 0, 1, 3]))
    def limits_change(self, subject: str, most: int | None) -> None:
        self.ledger.sql("DELETE FROM ledger.limits WHERE subject = :subject", subject=subject)
        if most is not None:
            name = "walls" if subject == "queue" else "each"
            self.ledger.sql(
                "INSERT INTO ledger.limits (subject, name, most, who, why) VALUES (:subject, :name, :most, 'ada', 'x')",
                subject=subject,
                name=name,
                most=most,
            )

    @rule()
    def redis_is_lost(self) -> None:
        self.ledger.sql("UPDATE ledger.jobs SET dispatched_at = now() - interval '3 s' WHERE state = 'dispatched'")
        for queue in QUEUES:
            with self.ledger.worker.begin() as db:
                self.tokens += [(job.id, job.fence) for job in ring_again(db, queue, 2, None)]

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), worker=st.sampled_from(WORKERS))
    def claim(self, data: Any, worker: UUID) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.tokens), min_size=1, max_size=4))
        self._claim(worker, chosen)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), known=st.lists(st.sampled_from(["walls.dry", "walls.paint"])))
    def an_old_worker_refuses(self, data: Any, known: list[str]) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.tokens), min_size=1, max_size=4))
        with self.ledger.worker.begin() as db:
            refuse(db, known, chosen)

    def _claim(self, worker: UUID, tokens: list[tuple[int, int]]) -> None:
        registry = self.ledger.registry
        plain = [job.kind for job in registry if job.plain]
        with self.ledger.worker.begin() as db:
            self.held += claim(db, worker, registry.kinds, plain, tokens)

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(sorted(OUTCOMES)),
        step=st.sampled_from(["call", "save", "load"]),
        taken_away=st.booleans(),
    )
    def run(self, data: Any, outcome: str, step: str, taken_away: bool) -> None:
        """Run a job that is held, or was a moment ago; it may be taken away while the vendor thinks."""
        held = data.draw(st.sampled_from(self.held[-8:]))
        error = OUTCOMES[outcome]

        def fails(*_: Any) -> Any:
            take_away()
            if error is not None:
                raise error
            return "painted"

        def take_away(*_: Any) -> str:
            if taken_away:
                with self.ledger.worker.begin() as db:
                    give_back(db, [(held.id, held.fence)])
            return "painted"

        script = self.ledger.script
        script.call = fails if step == "call" else take_away
        loaded = LOADED.get(outcome) if step == "load" else None
        script.load = lambda db, wall: wall if loaded is None else loaded()

        def save(db: Any, wall: UUID, answer: str) -> None:
            db.execute(text("INSERT INTO public.effects VALUES (:id)"), {"id": held.id})
            for batch in my_batches(db)[:1]:
                batch.enqueue(Knock(wall_id=wall))
            if step == "save" and error is not None:
                raise error

        script.save = save
        if self.ledger.registry[held.kind].plain:
            if self.ledger.runner.run_plain(held) is not None:
                with self.ledger.worker.begin() as db:
                    complete_many(db, [(held.id, held.fence)])
        else:
            self.ledger.runner.run(held)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def crash_after_start(self, data: Any) -> None:
        held = data.draw(st.sampled_from(self.held[-8:]))
        with self.ledger.worker.begin() as db:
            db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def give_back(self, data: Any) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.held), min_size=1, max_size=3))
        with self.ledger.worker.begin() as db:
            give_back(db, [(held.id, held.fence) for held in chosen])

    @rule(worker=st.sampled_from(WORKERS))
    def worker_dies(self, worker: UUID) -> None:
        self.ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '1 day' WHERE id = :id", id=worker)
        self._rescue()
        with self.ledger.worker.begin() as db:
            heartbeat(db, worker, 8, [])

    @rule()
    def deadlines_pass(self) -> None:
        self.ledger.sql("UPDATE ledger.jobs SET deadline_at = now() - interval '1 s' WHERE state = 'running'")
        self._rescue()

    @rule(queue=st.sampled_from(["walls", "knocks"]), one=st.booleans())
    def paused(self, queue: str, one: bool) -> None:
        with self.ledger.admin.begin() as db:
            pause(
                db,
                who="on-call",
                why="the paint is wet",
                queue=queue,
                business_id=self.ledger.business if one else None,
            )
        self._settle()
        with self.ledger.worker.begin() as db:
            assert not dispatch(db, queue, [4] * 4)

    @rule()
    def resumed(self) -> None:
        with self.ledger.admin.begin() as db:
            for each in pauses(db):
                resume(db, each.id, who="on-call")
        self._settle()

    def _settle(self) -> None:
        with self.ledger.worker.begin() as db:
            settle_pauses(db)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), percent=st.integers(0, 100))
    def progress(self, data: Any, percent: int) -> None:
        held = data.draw(st.sampled_from(self.held[-8:]))
        with self.ledger.worker.begin() as db:
            asked = {"id": held.id, "fence": held.fence, "percent": percent}
            db.execute(text("SELECT ledger.progress_v1(:id, :fence, :percent, 'painting')"), asked)

    @precondition(lambda self: self.enqueued)
    @rule(data=st.data(), act=st.sampled_from([operate.retry, operate.discard, operate.cancel, put_off]))
    def operator(self, data: Any, act: Any) -> None:
        self._operate(act, data.draw(st.sampled_from(sorted(self.enqueued))))

    def _rescue(self) -> None:
        with self.ledger.worker.begin() as db:
            rescue(db, self.ledger.youngest())

    @invariant()
    def only_drawn_arrows(self) -> None:
        with self.ledger.admin.begin() as db:
            walked = db.execute(text("SELECT DISTINCT old, new FROM walked WHERE old <> new")).all()
            assert {tuple(row) for row in walked} <= DRAWN
            crooked = db.execute(text("SELECT * FROM walked WHERE new_fence <> old_fence + 1")).all()
            assert not crooked

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.ledger.admin.begin() as db:
            rows = db.execute(
                text("SELECT id, state, finished_at, worker_id, attempt, max_attempts FROM ledger.jobs")
            ).all()
        assert self.enqueued <= {row.id for row in rows}
        for row in rows:
            assert (row.finished_at is None) == (row.state in OPEN), row
            assert (row.worker_id is not None) == (row.state == "running"), row
            assert row.attempt <= row.max_attempts, row

    @invariant()
    def effects_are_those_of_successes(self) -> None:
        done = self.ledger.sql("SELECT count(*) FROM walked WHERE old_kind = 'walls.paint' AND new = 'succeeded'")
        assert self.ledger.sql("SELECT count(*) FROM effects") == done

    @invariant()
    def one_open_job_a_key(self) -> None:
        assert not self.ledger.sql(
            "SELECT count(*) FROM (SELECT FROM ledger.jobs WHERE unique_key IS NOT NULL AND finished_at IS NULL "
            "AND state <> 'running' GROUP BY kind, unique_key HAVING count(*) > 1) twins"
        )

    @invariant()
    def closed_jobs_keep_no_answer(self) -> None:
        assert not self.ledger.sql(
            "SELECT count(*) FROM ledger.kept_answers a LEFT JOIN ledger.jobs j ON j.id = a.job_id "
            "WHERE j.state IS NULL OR j.state IN ('succeeded', 'cancelled', 'discarded')"
        )

    def teardown(self) -> None:
        """What is still open can be brought to its end by the ordinary way alone."""
        if self.ledger is None:
            return
        for worker in WORKERS:
            self.ledger.sql(
                "UPDATE ledger.workers SET heartbeat_at = now() - interval '1 day' WHERE id = :id", id=worker
            )
        self._rescue()
        self.resumed()
        self.ledger.sql("DELETE FROM ledger.limits")
        self.ledger.sql("UPDATE ledger.jobs SET state = 'available' WHERE state = 'parked'")
        self.ledger.script.call = lambda _: "painted"
        self.ledger.script.load = lambda db, wall: wall
        self.ledger.script.save = lambda db, wall, answer: None
        for _ in range(12):
            self.redis_is_lost()
            self.time_passes()
            self.dispatch(100)
            registry = self.ledger.registry
            with self.ledger.worker.begin() as db:
                mine = claim(db, uuid4(), registry.kinds, [], self.tokens)
            for held in mine:
                if registry[held.kind].plain:
                    if self.ledger.runner.run_plain(held) is not None:
                        with self.ledger.worker.begin() as db:
                            complete_many(db, [(held.id, held.fence)])
                else:
                    self.ledger.runner.run(held)
            if not self.ledger.sql("SELECT count(*) FROM ledger.jobs WHERE finished_at IS NULL"):
                break
        open_still = self.ledger.sql("SELECT count(*) FROM ledger.jobs WHERE finished_at IS NULL")
        assert open_still == 0
        self.every_batch_completes()


def _prepare(ledger: Any) -> type[Machine]:
    from datetime import timedelta

    with ledger.admin.begin() as db:
        driver = db.connection.driver_connection
        assert driver is not None
        driver.execute(AUDIT)
    ledger.runner.draw.seed(1)

    def youngest() -> timedelta:
        """The longest stale window that this server is old enough for."""
        age = ledger.sql("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")
        return timedelta(seconds=min(6.0, float(age) - 0.01))

    ledger.youngest = youngest
    return type("Machine", (Machine,), {"ledger": ledger})


@pytest.mark.timeout(180)
def test_no_order_of_events_breaks_the_ledger(ledger: Any) -> None:
    run_state_machine_as_test(
        _prepare(ledger),
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # a failure is shown as it came: making it small takes minutes
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_no_long_order_of_events_breaks_the_ledger(ledger: Any) -> None:
    run_state_machine_as_test(
        _prepare(ledger),
        settings=settings(
            max_examples=300,
            stateful_step_count=80,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
