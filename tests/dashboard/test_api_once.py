"""The HTTP API: what is sent again is answered the same, and enqueued once."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.dashboard.test_api import api, calling, count, make_key, problem, wall

__all__ = ["api", "make_key"]


def test_a_request_that_is_sent_again_is_answered_the_same_and_enqueues_nothing(ledger, api):
    once = {"idempotency-key": "order-1"}
    asked = {"kind": "walls.dry", "payload": {"wall_id": str(uuid4())}}
    first = api.post("/v1/jobs", json=asked, headers=once)
    again = api.post(
        "/v1/jobs", content=json.dumps(asked, indent=3), headers=once | {"content-type": "application/json"}
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert api.post("/v1/jobs", json=asked).json() != first.json()
    assert count(ledger) == 2


def test_a_batch_that_is_sent_again_returns_its_ids_in_their_order(ledger, api):
    asked = [{"kind": "walls.dry", "payload": {"wall_id": str(uuid4())}} for _ in range(3)]
    first, again = (api.post("/v1/jobs/batch", json=asked, headers={"idempotency-key": "b"}) for _ in range(2))
    assert first.json() == again.json()
    payloads = [ledger.job(job_id).payload for job_id in first.json()["ids"]]
    assert payloads == [job["payload"] for job in asked]
    assert count(ledger) == 3


def test_a_key_of_one_request_is_refused_for_another_and_is_each_business_s_own(ledger, app, api, make_key):
    once = {"idempotency-key": "k"}
    asked = wall()
    first = api.post("/v1/jobs", json=asked, headers=once).json()
    problem(api.post("/v1/jobs", json=wall(), headers=once), 409, "idempotency-key-reused")
    problem(api.post("/v1/jobs/batch", json=[asked], headers=once), 409, "idempotency-key-reused")
    with calling(app, make_key(ledger.other)) as theirs:
        assert theirs.post("/v1/jobs", json=asked, headers=once).json() != first
    assert count(ledger) == 2


def test_a_refused_request_leaves_its_key_free(ledger, api):
    once = {"idempotency-key": "k"}
    problem(api.post("/v1/jobs", json={"kind": "walls.paint", "payload": {}}, headers=once), 422, "refused")
    assert api.post("/v1/jobs", json=wall(), headers=once).status_code == 202


def test_a_day_later_a_key_is_new(ledger, api):
    once = {"idempotency-key": "k"}
    asked = {"kind": "walls.dry", "payload": {"wall_id": str(uuid4())}}
    first = api.post("/v1/jobs", json=asked, headers=once).json()
    ledger.sql("UPDATE ledger.idempotency_keys SET created_at = now() - interval '25 hours'")
    second = api.post("/v1/jobs", json=asked, headers=once).json()
    assert first != second
    assert api.post("/v1/jobs", json=asked, headers=once).json() == second
    assert ledger.sql("SELECT count(*) FROM ledger.idempotency_keys") == 1


def test_the_same_request_at_once_enqueues_once(ledger, api):
    asked = {"kind": "walls.dry", "payload": {"wall_id": str(uuid4())}}

    def send(_):
        return api.post("/v1/jobs", json=asked, headers={"idempotency-key": "k"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert count(ledger) == 1


def test_lists_of_the_same_jobs_the_other_way_round_do_not_stand_in_each_other_s_way(ledger, api):
    jobs = [wall() for _ in range(50)]

    def send(turn):
        return api.post("/v1/jobs/batch", json=jobs if turn % 2 else jobs[::-1])

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({tuple(sorted(answer.json()["ids"])) for answer in answers}) == 1
    assert count(ledger) == 50


def test_an_idempotency_key_that_is_none_is_refused(api):
    for given in ("", "two words", "x" * 256, "café"):
        answer = api.post("/v1/jobs", json=wall(), headers={"idempotency-key": given.encode()})
        problem(answer, 400, "idempotency-key")
