"""Batches over the HTTP API: all of one request, and once, what follows."""

from uuid import UUID, uuid4

import pytest

from models.batches import Cue
from tests.dashboard.test_api import api, calling, count, make_key, problem, wall
from tests.ledger.batching import completed_as_a_set, settle

__all__ = ["api", "make_key"]
SECRET = "+4915112345678"


def knock():
    return {"kind": "walls.knock", "payload": {"wall_id": str(uuid4())}}


def ask(api, *jobs, once=None, **follow):
    headers = {"Idempotency-Key": once} if once else {}
    return api.post("/v1/batches", json={"jobs": jobs, **follow}, headers=headers)


def test_a_batch_is_enqueued_whole_and_read_until_what_follows_it_is_there(ledger, api):
    after = wall()
    answer = ask(api, knock(), then=after)
    assert answer.status_code == 202, answer.text
    batch_id, (job_id,) = answer.json()["id"], answer.json()["jobs"]
    assert answer.headers["location"] == f"/v1/batches/{batch_id}"
    assert ledger.job(job_id).business_id == ledger.business
    seen = api.get(f"/v1/batches/{batch_id}").json()
    assert (seen["id"], seen["state"], seen["members"], seen["open"]) == (batch_id, "sealed", 1, 1)
    assert seen["completed_at"] is None
    completed_as_a_set(ledger)
    settle(ledger)
    seen = api.get(f"/v1/batches/{batch_id}").json()
    assert (seen["state"], seen["open"], seen["succeeded"], seen["dead"]) == ("complete", 0, 1, 0)
    assert seen["completed_at"]
    assert ledger.sql("SELECT payload FROM ledger.jobs WHERE kind = 'walls.paint'") == after["payload"]


def test_a_batch_without_jobs_is_complete_at_once(ledger, api):
    batch_id = ask(api, then=wall()).json()["id"]
    assert api.get(f"/v1/batches/{batch_id}").json()["state"] == "complete"
    assert count(ledger) == 1


def test_a_batch_that_is_sent_again_is_the_first_one(ledger, api):
    jobs, after = [knock(), knock()], wall()
    first = ask(api, *jobs, then=after, once="one")
    again = ask(api, *jobs, then=after, once="one")
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert count(ledger) == 2
    assert ledger.sql("SELECT count(*) FROM ledger.batches") == 1
    problem(ask(api, *jobs, then=wall(), once="one"), 409, "idempotency-key-reused")


REFUSED = [
    ([], {}, "#/then", "then, if_succeeded, if_died"),
    ([wall()], {"then": {"kind": "walls.fall", "payload": {}}}, "#/then/kind", "unknown kind of job: walls.fall"),
    ([wall()], {"if_died": {"kind": "walls.dry", "payload": {}}}, "#/if_died/payload/wall_id", "lacks wall_id"),
    ([wall()], {"then": wall(run_at="2026-11-23T09:30:00Z")}, "#/then/run_at", "when the batch completes"),
    ([wall()], {"then": {"kind": "walls.dry", "payload": SECRET}}, "#/then/payload", "A payload is an object"),
    ([wall(), {"kind": "walls.fall", "payload": {}}], {"then": wall()}, "#/jobs/1/kind", "unknown kind"),
    ([wall(), {"kind": SECRET, "payload": {}}], {"then": wall()}, "#/jobs/1/kind", "A kind is a name"),
    ([wall()], {"then": wall(), "also": SECRET}, "#", "of these fields and no other"),
]


@pytest.mark.parametrize(("jobs", "follow", "pointer", "said"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_is_refused_is_named_and_nothing_is_written(ledger, api, jobs, follow, pointer, said):
    answer = ask(api, *jobs, **follow)
    (error,) = problem(answer, 422, "refused")["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]
    assert SECRET not in answer.text
    assert (count(ledger), ledger.sql("SELECT count(*) FROM ledger.batches")) == (0, 0)


def test_what_only_the_timetable_enqueues_follows_no_batch(ledger, api):
    ledger.sql("UPDATE ledger.job_kinds SET queue = 'upkeep' WHERE kind = 'walls.dry'")
    (error,) = problem(ask(api, then={**wall(), "kind": "walls.dry"}), 422, "refused")["errors"]
    assert error["pointer"] == "#/then/kind"
    assert count(ledger) == 0


def test_another_business_s_batch_is_not_there(ledger, app, api, make_key):
    batch_id = ask(api, knock(), then=wall()).json()["id"]
    with calling(app, make_key(ledger.other)) as theirs:
        for wanted in (batch_id, str(uuid4()), str(UUID(int=0)), "walls"):
            problem(theirs.get(f"/v1/batches/{wanted}"), 404, "no-such-batch")


def test_a_batch_needs_a_key_with_the_scope(ledger, app, make_key):
    with calling(app, make_key(scopes=["jobs:read"])) as reader:
        problem(ask(reader, then=wall()), 403, "scope")
    with calling(app, make_key(scopes=["jobs:write"])) as writer:
        batch_id = ask(writer, then=wall()).json()["id"]
        problem(writer.get(f"/v1/batches/{batch_id}"), 403, "scope")
    with calling(app) as nobody:
        problem(ask(nobody, then=wall()), 401, "no-key")


def test_the_description_tells_of_batches_with_the_fields_that_are_answered(api):
    described = api.get("/v1/openapi.json").json()
    batch_id = ask(api, knock(), then=wall()).json()["id"]
    seen = api.get(f"/v1/batches/{batch_id}").json()
    schemas = described["components"]["schemas"]
    assert set(schemas["BatchSeen"]["properties"]) == set(seen)
    assert set(schemas["Batch"]["properties"]) == {"jobs", *Cue}
    assert {"/batches", "/batches/{id}"} <= described["paths"].keys()
