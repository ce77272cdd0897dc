"""Enqueueing many: what enqueue_job_v1 does for each, by one statement."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import clock
from ledger.enqueue_many import enqueue_many
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Count, Dry, Knock, Paint
from tests.ledger.test_payload import Everything

WALL = "6f1b0a52-0f6b-4a7e-9d3c-0a4b1e6f2a11"
OTHER = "0e9a7c11-2f4b-4d0e-8f55-7d1b6a3c9e02"
ONE = text("SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), :business, :priority, :run_at)")
MANY = text(
    "SELECT ledger.enqueue_jobs_v1(:kind, CAST(:payloads AS jsonb[]), CAST(:business AS uuid), :priority, :run_at)"
)
ROWS = text(
    "SELECT kind, queue, priority, business_id, root_id = id AS root, payload::text AS payload, unique_key, "
    "until_done, state, again, max_attempts, run_at, give_up_at, actor FROM ledger.jobs ORDER BY id"
)


def many(db: Any, business: Any, payloads: list[Any], kind: str = "walls.paint", **more: Any) -> list[int]:
    given = {"payloads": [json.dumps(payload) for payload in payloads], "priority": None, "run_at": None, **more}
    return list(db.execute(MANY, {"kind": kind, "business": business, **given}).scalars())


def one_by_one(db: Any, business: Any, payloads: list[Any], kind: str, **more: Any) -> list[int]:
    ids = []
    for place, payload in enumerate(payloads, 1):
        given = {"payload": json.dumps(payload), "priority": None, "run_at": None, **more}
        try:
            ids.append(db.execute(ONE, {"kind": kind, "business": business, **given}).scalar_one())
        except DBAPIError as error:
            raise Refused(place, error) from error
    return ids


def unhurried(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row without the moments that are now() of its transaction."""
    return row if row[8] == "scheduled" else (*row[:11], *row[13:])


class Refused(Exception):
    """The place of the payload that was refused, and why."""


walls = some.sampled_from([WALL, OTHER, WALL.upper(), WALL + "\n", WALL[:-1], "", 7, None, True, [WALL], {"a": WALL}])
no_walls = some.sampled_from(
    [
        "6f1b0a520-f6b-4a7e-9d3c-0a4b1e6f2a11",  # its hyphens are elsewhere
        "6f1b0a52-0f6b-4a7e-9d3c--a4b1e6f2a11",
        "6f1b0a52-0f6b-4a7e_9d3c-0a4b1e6f2a11",
        WALL.replace("6", "\u0666"),
        WALL.replace("f", "g"),
        WALL.replace("-", ""),
        "-" * 36,
        f"{{{WALL[1:-1]}}}",
    ]
)
times = some.sampled_from(
    [
        "2026-11-23T09:30:00Z",
        "2026-10-31T02:30:00.5+02:00",
        "2026-02-30T02:30:00Z",
        "2026-02-28T23:59:59.123456-0330",
        "2026-11-23T09:30:00",
        "2026-11-23",
        "2026-11-23T09:30:00Z\n",
        20261123,
        None,
        ["2026-11-23T09:30:00Z"],
    ]
)
codes = some.sampled_from(["red", "blue", "Red", "", None, 1, True, ["red"], {"red": 1}])
flags = some.sampled_from([True, False, None, "true", 0, [True]])
good: some.SearchStrategy[Any] = some.fixed_dictionaries(
    {
        "wall_id": some.sampled_from([WALL, OTHER, WALL.upper()]),
        "colour": some.sampled_from(["red", "blue"]),
        "glossy": some.booleans(),
        "due_at": some.sampled_from(
            ["2026-11-23T09:30:00Z", "2026-10-31T02:30:00.5+02:00", "2026-01-29T02:30:00-0330"]
        ),
    },
    optional={"other_id": some.sampled_from([WALL, OTHER.upper()]), "loud": some.booleans()},
)
odd: some.SearchStrategy[Any] = (
    some.fixed_dictionaries(
        {"wall_id": walls | no_walls, "colour": codes, "glossy": flags, "due_at": times},
        optional={"other_id": walls, "loud": flags, "other_colour": codes, "+447700900123": walls, "number": codes},
    )
    | some.fixed_dictionaries({}, optional={"wall_id": some.just(WALL), "due_at": times})
    | some.sampled_from([[], [WALL], WALL, None, 7, True])
)


@pytest.fixture
def everything(ledger: Ledger) -> Ledger:
    """A ledger with a kind that has every type of field, once until it starts and once until it is done."""
    for kind, until_done, unique_by in (
        ("a", False, "{wall_id,due_at,loud}"),
        ("b", True, "{wall_id}"),
        ("c", False, None),
    ):
        ledger.sql(
            "INSERT INTO ledger.job_kinds SELECT 'walls.' || :kind, queue, priority, CAST(:fields AS jsonb), "
            "CAST(:unique_by AS text[]), :until_done, timeout, max_attempts, give_up_after, '{}', about "
            "FROM ledger.job_kinds WHERE kind = 'walls.dry'",
            kind=kind,
            fields=json.dumps(Everything.fields()),
            unique_by=unique_by,
            until_done=until_done,
        )
    return ledger


def test_many_at_once_and_one_by_one_agree(everything: Ledger) -> None:
    """The same rows, the same answers and the same refusals, whatever the payloads."""
    ledger = everything
    refusals: set[bool] = set()

    def outcome(how: Callable[..., list[int]], *asked: Any, **more: Any) -> tuple[Any, ...]:
        with ledger.web.connect() as db, db.begin() as undone:
            before: list[int] = []
            try:
                before = one_by_one(db, *more.pop("before"))
                ids = how(db, *asked, **more)
            except Refused as refused:
                place, error = refused.args
                said = error.orig.diag
                return (said.sqlstate, f"payload {place}: {said.message_primary}", said.message_hint or None)
            except DBAPIError as error:
                said = error.orig.diag  # type: ignore[union-attr]
                return (said.sqlstate, said.message_primary, said.message_hint or None)
            names = {job: n for n, job in enumerate(dict.fromkeys([*before, *ids]))}
            undone.rollback()
            return ([names[job] for job in ids],)

    def rows(how: Callable[..., list[int]], *asked: Any, **more: Any) -> list[Any]:
        """Write for good as superuser's transaction, look, and undo."""
        with ledger.admin.connect() as db, db.begin() as undone:
            one_by_one(db, *more.pop("before"))
            how(db, *asked, **more)
            found = [tuple(row) for row in db.execute(ROWS)]
            undone.rollback()
            return found

    @settings(
        max_examples=30,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        payloads=some.lists(good, min_size=1, max_size=6) | some.lists(good | odd, min_size=1, max_size=4),
        there=some.lists(good, max_size=2),
        kind=some.sampled_from(["walls.a", "walls.b", "walls.c"]),
        priority=some.sampled_from([None, 0, 3]),
        later=some.sampled_from([None, timedelta(hours=1)]),
    )
    def agree(payloads: list[Any], there: list[Any], kind: str, priority: Any, later: Any) -> None:
        more = {
            "priority": priority,
            "run_at": clock.now() + later if later else None,
            "before": (ledger.business, there, kind),
        }
        asked = (ledger.business, payloads, kind)
        single, together = outcome(one_by_one, *asked, **more), outcome(many, *asked, **more)
        assert together == single
        refusals.add(len(single) > 1)
        if len(single) == 1:
            left, right = rows(one_by_one, *asked, **more), rows(many, *asked, **more)
            assert [unhurried(row) for row in right] == [unhurried(row) for row in left]

    agree()
    assert refusals == {True, False}


def test_ids_come_in_the_order_of_the_payloads_and_equal_ones_share_a_job(ledger: Ledger) -> None:
    with ledger.web.begin() as db:
        (there,) = many(db, ledger.business, [{"wall_id": OTHER}])
    new = [str(uuid4()) for _ in range(20)]
    with ledger.web.begin() as db:
        walls = [WALL, *new, OTHER.upper(), WALL.upper()]
        ids = many(db, ledger.business, [{"wall_id": wall} for wall in walls])
    assert ids[0] == ids[-1]
    assert ids[-2] == there
    assert ids[:-2] == sorted(ids[:-2])
    assert [ledger.job(job).payload["wall_id"] for job in ids[:-2]] == [WALL, *new]
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 22


def test_a_running_until_done_job_runs_again_for_one_of_many(ledger: Ledger) -> None:
    first = ledger.enqueue(Count(wall_id=UUID(WALL)))
    ledger.claimed()
    with ledger.web.begin() as db:
        ids = many(db, ledger.business, [{"wall_id": OTHER}, {"wall_id": WALL}, {"wall_id": WALL}], "walls.count")
    assert ids[1:] == [first, first]
    assert (ledger.job(first).again, ledger.job(ids[0]).again) == (True, False)
    with ledger.web.begin() as db:  # nothing more to set, and still the same job
        assert many(db, ledger.business, [{"wall_id": WALL}], "walls.count") == [first]


def test_a_job_that_was_joined_does_not_start_before_the_transaction_ends(ledger: Ledger) -> None:
    joined = ledger.enqueue(Paint(wall_id=UUID(WALL)))
    tokens = ledger.dispatched()
    with ledger.web.begin() as db:
        assert many(db, ledger.business, [{"wall_id": WALL}]) == [joined]
        assert ledger.claimed(tokens=tokens) == []
    assert [job.id for job in ledger.claimed(tokens=tokens)] == [joined]


def test_a_refused_payload_is_named_by_its_place_and_nothing_is_written(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError) as refused, ledger.web.begin() as db:
        many(db, ledger.business, [{"wall_id": WALL}, {"wall_id": OTHER}, {"wall_id": "447700900123"}, {}])
    told = str(refused.value.orig)
    assert "payload 3: in the payload of walls.paint, wall_id must be a UUID" in told
    assert "447700900123" not in told
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


@pytest.mark.parametrize(
    ("payloads", "more", "says"),
    [
        ([{"wall_id": WALL}], {"kind": "walls.eat"}, "unknown kind of job: walls.eat"),
        ([{"wall_id": WALL}], {"priority": 9}, "0 \\(first\\) to 3 \\(last\\)"),
        ([{"wall_id": WALL}], {"run_at": "infinity"}, "over a year ahead"),
        ([{"wall_id": WALL}], {"business": None}, "needs p_business_id"),
        (None, {}, "must be an array"),
    ],
)
def test_what_enqueue_job_v1_refuses_of_the_call_is_refused(
    ledger: Ledger, payloads: Any, more: Any, says: str
) -> None:
    given = {"kind": "walls.paint", "business": ledger.business, "priority": None, "run_at": None, **more}
    given["payloads"] = [json.dumps(payload) for payload in payloads] if payloads else None
    statement = text(str(MANY).replace(":run_at", "CAST(:run_at AS timestamptz)"))
    with pytest.raises(DBAPIError, match=says), ledger.web.begin() as db:
        db.execute(statement, given)


def test_of_nothing_nothing_comes(ledger: Ledger) -> None:
    with ledger.web.begin() as db:
        assert many(db, ledger.business, []) == []


def test_a_web_transaction_of_one_business_cannot_enqueue_many_for_another(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError, match="cannot enqueue for another"), ledger.web.begin() as db:
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": ledger.business})
        many(db, ledger.other, [{"wall_id": WALL}])
    with ledger.web.begin() as db:
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": ledger.business})
        (job_id,) = many(db, None, [{"wall_id": WALL}])
    assert ledger.job(job_id).business_id == ledger.business


def test_two_that_take_the_same_keys_in_opposite_orders_do_not_deadlock(ledger: Ledger) -> None:
    failed: list[DBAPIError] = []
    for made in (False, True):  # new keys, and keys of open jobs
        payloads = [{"wall_id": str(uuid4())} for _ in range(400)]
        if made:
            with ledger.web.begin() as db:
                many(db, ledger.business, payloads[::2])
        answers: list[list[int]] = []

        def call(asked: list[Any], answers: list[list[int]] = answers) -> None:
            try:
                with ledger.web.begin() as db:
                    db.execute(text("SET LOCAL lock_timeout = '20s'"))
                    answers.append(many(db, ledger.business, asked))
            except DBAPIError as error:
                failed.append(error)

        threads = [Thread(target=call, args=[order]) for order in (payloads, payloads[::-1]) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failed == []
        assert len({tuple(sorted(ids)) for ids in answers}) == 1
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 800


def test_many_of_a_rolled_back_transaction_never_were(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), Session(ledger.web) as db, db.begin():
        enqueue_many(db, (Dry(wall_id=uuid4()) for _ in range(30)), business_id=ledger.business, chunk=7)
        raise RuntimeError
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


def test_python_streams_in_chunks_and_keeps_the_order_of_kinds(ledger: Ledger) -> None:
    payloads = [
        *(Dry(wall_id=uuid4()) for _ in range(5)),
        Paint(wall_id=UUID(WALL)),
        *(Dry(wall_id=uuid4()) for _ in "ab"),
    ]
    with Session(ledger.web) as db, db.begin():
        ids = enqueue_many(db, iter(payloads), business_id=ledger.business, chunk=2, priority=0)
    found = [(ledger.job(job).kind, ledger.job(job).payload["wall_id"], ledger.job(job).priority) for job in ids]
    assert found == [(payload.kind, str(payload.wall_id), 0) for payload in payloads]


def test_the_follow_ups_of_a_job_belong_to_its_chain_and_business(ledger: Ledger) -> None:
    made: list[int] = []

    def save(db: Session, wall: UUID, answer: str) -> None:
        made.extend(enqueue_many(db, [Dry(wall_id=uuid4()), Dry(wall_id=uuid4())]))

    ledger.script.save = save
    first = ledger.enqueue(Paint(wall_id=UUID(WALL)))
    (ended,) = ledger.run()
    assert ended.state == "succeeded"
    assert [(ledger.job(job).root_id, ledger.job(job).business_id) for job in made] == [(first, ledger.business)] * 2
    assert [ledger.job(job).parent_id for job in made] == [first, first]


def test_a_job_that_lost_its_fence_enqueues_nothing(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError, match="no longer holds its fence"), ledger.worker.begin() as db:
        db.execute(text("SET LOCAL ROLE tenant_job"))
        many(db, ledger.business, [{"wall_id": WALL}])


@pytest.fixture
def listener(ledger: Ledger, database: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("LISTEN nexara_bell")
        yield connection


def heard(listener: psycopg.Connection) -> list[str]:
    return [note.payload for note in listener.notifies(timeout=0.3)]


def test_a_sleeping_dispatcher_is_knocked_once_and_only_for_what_is_new_and_due(
    ledger: Ledger, listener: psycopg.Connection
) -> None:
    payloads = [{"wall_id": str(uuid4())} for _ in range(9)]

    def call(**more: Any) -> list[str]:
        with ledger.web.begin() as db:
            many(db, ledger.business, payloads, **more)
        return heard(listener)

    assert call() == []
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.sleep_v1(true)"))
    assert call() == []  # all are there already
    payloads.append({"wall_id": str(uuid4())})
    assert call() == ["walls:2"]
    payloads.append({"wall_id": str(uuid4())})
    assert call(run_at=clock.now() + timedelta(hours=1)) == []
    assert call(kind=Knock.kind, priority=1) == ["knocks:1"]


def test_who_may_not_enqueue_one_may_not_enqueue_many(ledger: Ledger) -> None:
    signature = "(text, jsonb{}, uuid, integer, timestamptz, uuid)"
    differ = ledger.sql(
        "SELECT array_agg(rolname) FROM pg_roles WHERE has_function_privilege(oid, :one, 'EXECUTE') AND rolname <> "
        "'nexara_scribe' IS DISTINCT FROM has_function_privilege(oid, :many, 'EXECUTE')",
        one="ledger.enqueue_job_v1" + signature.format(""),
        many="ledger.enqueue_jobs_v1" + signature.format("[]"),
    )
    assert differ is None
