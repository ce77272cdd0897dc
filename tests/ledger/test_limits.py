"""Limits hold for all processes together: in flight, in calls a second, and until a vendor's pause is over."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from ledger import operate
from ledger.dispatch import dispatch, promote
from ledger.errors import RateLimited
from ledger.limits import EACH, Limit, drop_limit, publish, set_limit, unblock
from ledger.payload import Payload
from ledger.queries.limits import read_limits
from models.limits import Limited
from tests.ledger.kinds import Dry, Frame, Hang, Paint

SECOND = timedelta(seconds=1)


@pytest.fixture
def limit(on_call: Engine) -> Callable[..., None]:
    def put(subject: Limited, name: object, **how: Any) -> None:
        with on_call.begin() as db:
            set_limit(db, subject, str(name), Limit(**how), who="ada", why="their plan")

    return put


def many(ledger: Any, payload: type[Payload], count: int, business: Any = None) -> list[int]:
    return [ledger.enqueue(payload(wall_id=uuid4()), business) for _ in range(count)]


def test_a_queue_never_has_more_in_flight_than_its_limit(ledger: Any, limit: Any) -> None:
    limit(Limited.QUEUE, "walls", most=3)
    jobs = many(ledger, Dry, 5)
    held = ledger.claimed()
    assert [job.id for job in held] == jobs[:3]
    assert ledger.dispatched() == []
    ledger.runner.run(held[0])
    assert [job_id for job_id, _ in ledger.dispatched()] == jobs[3:4]
    assert ledger.dispatched() == []


def test_a_vendor_is_counted_over_all_queues_that_wait_for_it(ledger: Any, limit: Any) -> None:
    limit(Limited.VENDOR, "gallery", most=3)
    many(ledger, Hang, 2), many(ledger, Frame, 5), many(ledger, Dry, 4)
    assert len(ledger.dispatched("pictures")) == 2
    assert len(ledger.dispatched("frames")) == 1
    assert len(ledger.dispatched("walls")) == 4, "who does not ask the gallery does not wait for it"


def test_a_business_is_counted_over_all_queues_and_one_of_its_own_goes_before_that_of_each(
    ledger: Any, limit: Any
) -> None:
    limit(Limited.BUSINESS, EACH, most=2)
    limit(Limited.BUSINESS, ledger.other, most=4)
    many(ledger, Dry, 1), many(ledger, Hang, 5), many(ledger, Hang, 5, ledger.other)
    assert len(ledger.dispatched("walls")) == 1
    picked = [ledger.job(job_id).business_id for job_id, _ in ledger.dispatched("pictures")]
    assert (picked.count(ledger.business), picked.count(ledger.other)) == (1, 4)


def test_a_limit_of_nothing_stops_a_queue_and_its_end_lets_it_go_on(ledger: Any, limit: Any, on_call: Engine) -> None:
    limit(Limited.QUEUE, "walls", most=0)
    many(ledger, Dry, 1)
    assert ledger.dispatched() == []
    with on_call.begin() as db:
        drop_limit(db, Limited.QUEUE, "walls")
    assert len(ledger.dispatched()) == 1


def test_four_dispatchers_at_two_queues_of_one_vendor_never_pass_its_limit(ledger: Any, limit: Any) -> None:
    limit(Limited.VENDOR, "gallery", most=10)
    many(ledger, Hang, 150), many(ledger, Frame, 150)
    stop, most = threading.Event(), []

    def dispatcher(queue: str) -> None:
        while not stop.is_set():
            with ledger.worker.begin() as db:
                jobs = dispatch(db, queue, [100] * 4)
            ledger.sql(
                "UPDATE ledger.jobs SET state = 'succeeded', finished_at = now() WHERE id = ANY (:ids)",
                ids=[job.id for job in jobs],
            )

    threads = [threading.Thread(target=dispatcher, args=[queue]) for queue in ("pictures", "frames") * 2]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 30
    while ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state <> 'succeeded'") and time.monotonic() < until:
        most.append(ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'dispatched'"))
    stop.set()
    for thread in threads:
        thread.join()
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'succeeded'") == 300
    assert max(most) <= 10


def test_calls_are_spread_over_their_time_and_nothing_is_made_up_for_by_a_burst(ledger: Any, limit: Any) -> None:
    limit(Limited.VENDOR, "gallery", calls=3, per=SECOND)
    many(ledger, Hang, 12)
    since = ledger.sql("SELECT clock_timestamp()")
    moments: list[float] = []
    while len(moments) < 12:
        with ledger.worker.begin() as db:
            picked = dispatch(db, "pictures", [100] * 4)
        ledger.claimed("pictures", [(job.id, job.fence) for job in picked])
        moments += [(ledger.sql("SELECT clock_timestamp()") - since).total_seconds()] * len(picked)
    # Three at once, then one each third of a second: the twelfth no sooner than three seconds after the first.
    assert moments[2] < 1
    assert all(moments[n] >= (n - 2) / 3 - 0.01 for n in range(3, 12)), moments


def test_what_waits_for_a_worker_keeps_its_part_of_the_burst(ledger: Any, limit: Any) -> None:
    limit(Limited.VENDOR, "gallery", calls=3, per=SECOND)
    many(ledger, Hang, 9)
    waiting = ledger.dispatched("pictures")
    assert len(waiting) == 3
    ledger.sql("UPDATE ledger.limits SET paced_until = now() - interval '1 h'")
    assert ledger.dispatched("pictures") == [], "no worker took the three: a fourth would make a burst of more"
    ledger.claimed("pictures", waiting[:1])
    assert len(ledger.dispatched("pictures")) == 1


def busy(_: object) -> str:
    raise RateLimited("gallery_busy", retry_after=60, vendor="gallery")


def test_a_pause_that_one_was_asked_for_is_kept_by_all(ledger: Any) -> None:
    first, second = many(ledger, Hang, 2)
    held = ledger.claimed("pictures")
    third, elsewhere = ledger.enqueue(Hang(wall_id=uuid4())), ledger.enqueue(Frame(wall_id=uuid4()))
    ledger.script.call = busy
    assert ledger.runner.run(held[0]).state == "retryable"
    ledger.script.call = lambda _: "a picture"
    ended = ledger.runner.run(held[1])
    assert (ended.state, ended.reason) == ("retryable", "vendor_paused")
    assert len(ledger.script.calls) == 1, "the second was in hand, and did not ask"
    assert (ledger.dispatched("pictures"), ledger.dispatched("frames")) == ([], [])
    for job_id in (first, second, third, elsewhere):
        assert ledger.job(job_id).attempt == 0, "no attempt is spent on a pause"
    wait = ledger.job(second).run_at - ledger.sql("SELECT now()")
    assert timedelta(seconds=50) < wait <= timedelta(seconds=60)


def test_after_the_pause_all_go_on(ledger: Any) -> None:
    jobs = many(ledger, Hang, 3)
    held = ledger.claimed("pictures")
    ledger.script.call = busy
    ledger.runner.run(held[0])
    for job in held[1:]:
        ledger.runner.run(job)
    ledger.sql("UPDATE ledger.limits SET blocked_until = now() - interval '1 s'")
    ledger.sql("UPDATE ledger.jobs SET run_at = now() - interval '1 s'")
    ledger.script.call = lambda _: "a picture"
    with ledger.worker.begin() as db:
        assert promote(db) == 3
    ledger.run("pictures")
    assert [ledger.job(job_id).state for job_id in jobs] == ["succeeded"] * 3


def test_a_pause_of_which_nobody_said_how_long_it_is_stops_nobody_else(ledger: Any) -> None:
    def untold(_: object) -> str:
        raise RateLimited("gallery_busy", vendor="gallery")

    many(ledger, Hang, 1)
    ledger.script.call = untold
    ledger.run("pictures")
    many(ledger, Hang, 1)
    assert len(ledger.dispatched("pictures")) == 1


def test_a_shorter_pause_does_not_end_a_longer_one_and_on_call_may(ledger: Any, on_call: Engine) -> None:
    many(ledger, Hang, 1), many(ledger, Frame, 1)
    held = ledger.claimed("pictures") + ledger.claimed("frames")
    for job, seconds in zip(held, (300, 5), strict=True):
        with ledger.worker.begin() as db:
            db.execute(text("SELECT ledger.block_vendor_v1('gallery', make_interval(secs => :s))"), {"s": seconds})
        assert job
    (seen,) = (one for one in seen_limits(on_call) if one.name == "gallery")
    assert seen.blocked_until - ledger.sql("SELECT now()") > timedelta(minutes=4)
    many(ledger, Hang, 1)
    assert ledger.dispatched("pictures") == []
    with on_call.begin() as db:
        assert unblock(db, "gallery")
        assert not unblock(db, "gallery")
    assert len(ledger.dispatched("pictures")) == 1


def test_who_would_have_to_give_up_during_the_pause_asks_and_hears_what_the_vendor_says(ledger: Any) -> None:
    job_id = ledger.enqueue(Hang(wall_id=uuid4()))
    (held,) = ledger.claimed("pictures")
    ledger.sql("UPDATE ledger.jobs SET give_up_at = now() + interval '5 s'")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.block_vendor_v1('gallery', interval '60 s')"))
    ledger.runner.run(held)
    assert ledger.job(job_id).state == "succeeded"


def seen_limits(on_call: Engine) -> Any:
    with on_call.begin() as db:
        return read_limits(db)


def test_a_limit_is_seen_with_what_of_it_is_in_use_and_by_whom_it_was_set(
    ledger: Any, limit: Any, on_call: Engine
) -> None:
    limit(Limited.VENDOR, "gallery", most=3, calls=100, per=SECOND)
    limit(Limited.QUEUE, "walls", most=2)
    limit(Limited.BUSINESS, ledger.business, most=9)
    limit(Limited.BUSINESS, EACH, most=8)
    many(ledger, Hang, 2), many(ledger, Dry, 5)
    ledger.dispatched("pictures"), ledger.claimed("walls")
    seen = {one.name: one for one in seen_limits(on_call) if one.who == "ada"}
    assert {name: one.in_flight for name, one in seen.items()} == {
        "gallery": 2,
        "walls": 2,
        str(ledger.business): 4,
        EACH: None,
    }
    assert set(seen["gallery"].queues) == {"frames", "pictures"}
    assert seen["gallery"].why == "their plan"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((Limited.QUEUE, "nowhere", Limit(most=1)), "no such queue"),
        ((Limited.VENDOR, "nobody", Limit(most=1)), "waits for such a vendor"),
        ((Limited.BUSINESS, "acme", Limit(most=1)), "named by its id"),
        ((Limited.BUSINESS, EACH, Limit(calls=1, per=SECOND)), "not in calls"),
        ((Limited.QUEUE, "walls", Limit()), "how many at once"),
        ((Limited.QUEUE, "walls", Limit(most=-1)), "0 or more"),
        ((Limited.QUEUE, "walls", Limit(calls=3)), "in a span of time"),
        ((Limited.QUEUE, "walls", Limit(calls=3, per=timedelta(0))), "in a span of time"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(ledger: Any, on_call: Engine, given: Any, words: str) -> None:
    with pytest.raises(operate.Refused, match=words), on_call.begin() as db:
        set_limit(db, *given, who="ada", why="x")
    with pytest.raises(operate.Refused, match="no such limit"), on_call.begin() as db:
        drop_limit(db, given[0], given[1])


def test_a_new_release_leaves_what_on_call_has_set(ledger: Any, limit: Any, on_call: Engine) -> None:
    limit(Limited.VENDOR, "gallery", most=7)
    with ledger.admin.begin() as db:
        publish(db, {"gallery": Limit(most=100), "museum": Limit(calls=2, per=SECOND)}, "documented")
    assert {one.name: one.most for one in seen_limits(on_call) if one.name in ("gallery", "museum")} == {
        "gallery": 7,
        "museum": None,
    }


def test_a_queue_waits_for_one_set_of_vendors(ledger: Any) -> None:
    class Etch(Payload):
        """Ask another vendor in the gallery's queue."""

        kind = "pictures.etch"
        terms = Hang.terms.__class__(queue="pictures", vendors=("etcher",))

    class Draw(Payload):
        """Ask the gallery without a step for it."""

        kind = "pictures.draw"
        terms = Hang.terms

    def handler(db: Any, payload: Any) -> None: ...

    class Steps:
        def call(self, given: int, vendors: object) -> int: ...

    with pytest.raises(TypeError, match="wait for other vendors"):
        ledger.registry.vendor_job(Etch)(Steps)
    with pytest.raises(TypeError, match="no step in which it could ask gallery"):
        ledger.registry.database_job(Draw)(handler)
    assert Paint.kind in ledger.registry
