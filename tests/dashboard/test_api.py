"""The HTTP API: who may, what is enqueued once, and what is said when it is not."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from dashboard.api.body import MOST_BYTES, MOST_JOBS
from dashboard.app import create_app
from ledger import clock
from ledger.errors import GiveUp
from ledger.keys import new_key, read_key
from models.keys import Scope
from tests.dashboard.conftest import HERE, PASSWORD, USER
from tests.ledger.kinds import Paint
from workers.log import FIELDS, told

BOTH = (Scope.WRITE, Scope.READ)
SECRET = "+4915112345678"


@pytest.fixture
def make_key(ledger, engine):
    """Make a key in the ledger, and return it as it is written."""

    def make(business=None, scopes=BOTH, expires_at=None):
        key, written = new_key()
        with engine.begin() as db:
            db.execute(
                text("SELECT ledger.create_api_key_v1(:id, :digest, :business, 'shop', :scopes, :expires_at)"),
                {
                    **key.values,
                    "business": business or ledger.business,
                    "scopes": [*scopes],
                    "expires_at": expires_at,
                },
            )
        return written

    return make


@contextmanager
def calling(app, key=None):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with TestClient(app, base_url=HERE, headers=headers, follow_redirects=False) as client:
        yield client


@pytest.fixture
def api(app, make_key):
    with calling(app, make_key()) as client:
        yield client


def wall(**more):
    return {"kind": "walls.paint", "payload": {"wall_id": str(uuid4())}, **more}


def count(ledger):
    return ledger.sql("SELECT count(*) FROM ledger.jobs")


def problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["status"]) == (f"urn:nexara:problem:{code}", status)
    assert told["title"]
    assert len(told["detail"].split()) > 3
    return told


def test_a_job_is_enqueued_for_the_keys_business_and_read_back(ledger, api):
    asked = wall(priority=1)
    answer = api.post("/v1/jobs", json=asked)
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    row = ledger.job(job_id)
    assert (row.business_id, row.payload, row.priority) == (ledger.business, asked["payload"], 1)
    seen = api.get(answer.headers["location"]).json()
    assert seen["id"] == job_id
    assert (seen["state"], seen["kind"], seen["attempt"], seen["max_attempts"]) == ("available", "walls.paint", 0, 3)
    assert (seen["started_at"], seen["last_error"], seen["progress"]) == (None, None, None)


def test_a_job_that_failed_says_why_in_our_words_and_nothing_of_its_payload(ledger, api):
    asked = wall()
    job_id = api.post("/v1/jobs", json=asked).json()["id"]

    def fails(_):
        raise GiveUp("no_such_wall", "There is no such wall.")

    ledger.script.call = fails
    ledger.run()
    answer = api.get(f"/v1/jobs/{job_id}")
    seen = answer.json()
    assert (seen["state"], seen["attempt"]) == ("dead", 1)
    assert seen["last_error"] == {"code": "no_such_wall", "message": "There is no such wall."}
    assert seen["finished_at"]
    assert asked["payload"]["wall_id"] not in answer.text


def test_a_job_for_later_waits(ledger, api):
    at = clock.now() + timedelta(hours=2)
    job_id = api.post("/v1/jobs", json=wall(run_at=at.isoformat())).json()["id"]
    assert ledger.job(job_id).state == "scheduled"
    assert ledger.job(job_id).run_at == at


def test_the_same_open_job_is_not_enqueued_twice(ledger, api):
    asked = wall()
    assert api.post("/v1/jobs", json=asked).json() == api.post("/v1/jobs", json=asked).json()
    assert count(ledger) == 1


def test_another_business_s_job_is_not_there(ledger, app, make_key):
    theirs = ledger.enqueue(Paint(wall_id=uuid4()), business=ledger.other)
    with calling(app, make_key()) as api:
        problem(api.get(f"/v1/jobs/{theirs}"), 404, "no-such-job")
    with calling(app, make_key(ledger.other)) as api:
        assert api.get(f"/v1/jobs/{theirs}").status_code == 200


def test_an_id_that_nobody_has_is_not_there(api):
    for job_id in ("0", "-1", "999", "9" * 18, "9" * 30, "9" * 5000, "abc", "1.5", "%00"):
        problem(api.get(f"/v1/jobs/{job_id}"), 404, "no-such-job")


# Who may.


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "no-key"),
        ("Bearer", "no-key"),
        ("Bearer nxk_short", "unknown-key"),
        ("Basic b25jYWxs", "unknown-key"),
        (f"Bearer {new_key()[1]}", "unknown-key"),
    ],
)
def test_without_a_key_nothing_is_done(ledger, app, header, code):
    with calling(app) as api:
        headers = {"authorization": header} if header else {}
        for answer in (api.post("/v1/jobs", json=wall(), headers=headers), api.get("/v1/jobs/1", headers=headers)):
            problem(answer, 401, code)
            assert answer.headers["www-authenticate"].startswith('Bearer realm="')
            assert ("invalid_token" in answer.headers["www-authenticate"]) == (code != "no-key")
    assert count(ledger) == 0


def test_another_secret_with_a_known_id_is_no_key(app, make_key):
    known = make_key()
    other = new_key()[1]
    with calling(app, known[:37] + other[37:]) as api:
        assert known[:37] == f"nxk_{known[4:36]}_"
        problem(api.post("/v1/jobs", json=wall()), 401, "unknown-key")


def test_an_expired_and_a_revoked_key_say_so(ledger, app, make_key):
    with calling(app, make_key(expires_at=clock.now() - timedelta(seconds=1))) as api:
        problem(api.post("/v1/jobs", json=wall()), 401, "expired-key")
    with calling(app, make_key()) as api:
        assert api.post("/v1/jobs", json=wall()).status_code == 202
        ledger.sql("UPDATE ledger.api_keys SET revoked_at = now()")
        problem(api.post("/v1/jobs", json=wall()), 401, "revoked-key")
        problem(api.get("/v1/jobs/1"), 401, "revoked-key")
    assert count(ledger) == 1


def test_a_key_does_only_what_its_scopes_say(ledger, app, make_key):
    with calling(app, make_key(scopes=[Scope.WRITE])) as api:
        job_id = api.post("/v1/jobs", json=wall()).json()["id"]
        answer = api.get(f"/v1/jobs/{job_id}")
        assert "jobs:read" in problem(answer, 403, "scope")["detail"]
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    with calling(app, make_key(scopes=[Scope.READ])) as api:
        assert api.get(f"/v1/jobs/{job_id}").status_code == 200
        problem(api.post("/v1/jobs", json=wall()), 403, "scope")
        problem(api.post("/v1/jobs/batch", json=[wall()]), 403, "scope")
    assert count(ledger) == 1


def test_the_ledger_itself_refuses_a_key_that_lacks_the_scope(engine, make_key):
    key = read_key(make_key(scopes=[Scope.READ]))
    with engine.connect() as db, pytest.raises(Exception, match="this key opens nothing"):
        db.execute(
            text("SELECT * FROM ledger.api_enqueue_v1(:id, :digest, '[]'::jsonb, NULL, '')"),
            key.values,
        )


def test_a_key_opens_no_page_and_a_password_nothing_of_the_api(app, make_key):
    with calling(app, make_key()) as api:
        for page in ("/", "/jobs", "/jobs/1", "/kinds", "/v1"):
            answer = api.get(page, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in"), page
        assert api.post("/jobs/1/retry").status_code == 401
    with calling(app) as browser:
        problem(browser.post("/v1/jobs", json=wall(), auth=(USER, PASSWORD)), 401, "unknown-key")


def test_the_use_of_a_key_is_noted_to_the_minute(ledger, api):
    api.post("/v1/jobs", json=wall())
    first = ledger.sql("SELECT last_used_at FROM ledger.api_keys")
    assert first is not None
    api.post("/v1/jobs", json=wall())
    assert ledger.sql("SELECT last_used_at FROM ledger.api_keys") == first
    ledger.sql("UPDATE ledger.api_keys SET last_used_at = last_used_at - interval '2 minutes'")
    api.post("/v1/jobs", json=wall())
    assert ledger.sql("SELECT last_used_at FROM ledger.api_keys") > first


# Not too many.


def paced(key_maker, per_minute):
    """Make a key with a pace of its own."""
    written = key_maker()
    return written, {"id": read_key(written).id, "pace": per_minute}


PACE = "UPDATE ledger.api_keys SET per_minute = :pace WHERE id = :id"


def test_a_key_that_asks_too_often_is_told_to_wait_and_nobody_else_is(ledger, app, make_key):
    written, values = paced(make_key, 30)
    ledger.sql(PACE, **values)
    with calling(app, written) as api, calling(app, make_key()) as other:
        answers = [api.post("/v1/jobs", json=wall()) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 2
        told = problem(answers[-1], 429, "too-many")
        assert "30 requests a minute" in told["detail"]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
        assert count(ledger) == 5
        assert other.post("/v1/jobs", json=wall()).status_code == 202
        ledger.sql("UPDATE ledger.api_keys SET paced_until = paced_until - interval '2 s'")  # as if it had waited
        assert api.post("/v1/jobs", json=wall()).status_code == 202
        assert api.post("/v1/jobs", json=wall()).status_code == 429


def test_every_answer_to_a_key_tells_what_it_has_left(ledger, app, make_key):
    written, values = paced(make_key, 60)
    ledger.sql(PACE, **values)
    with calling(app, written) as api:
        first, bad, missing = (
            api.post("/v1/jobs", json=wall()),
            api.post("/v1/jobs", json=[]),
            api.get("/v1/jobs/999999"),
        )
    assert (first.status_code, bad.status_code, missing.status_code) == (202, 422, 404)
    for left, answer in zip((9, 8, 7), (first, bad, missing), strict=True):
        assert answer.headers["ratelimit-policy"] == '"key";q=10;w=10'
        assert answer.headers["ratelimit"].startswith(f'"key";r={left};t=')
    with calling(app) as stranger:
        assert "ratelimit" not in stranger.post("/v1/jobs", json=wall()).headers


def test_two_processes_share_the_pace_of_a_key_and_a_crowd_gets_no_more(ledger, app, make_key):
    written, values = paced(make_key, 60)
    ledger.sql(PACE, **values)

    def ask(_):
        with calling(app, written) as api:
            return api.get("/v1/jobs/1").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(ask, range(30)))
    assert answers.count(404) in range(10, 14), "ten at once, and one more a second"


# What is refused.


def test_a_batch_is_all_or_nothing_and_names_the_one_that_is_refused(ledger, api):
    told = problem(api.post("/v1/jobs/batch", json=[wall(), wall(), wall(payload={}), wall()]), 422, "refused")
    assert told["errors"][0]["pointer"] == "#/2/payload/wall_id"
    assert count(ledger) == 0
    assert len(api.post("/v1/jobs/batch", json=[wall() for _ in range(MOST_JOBS)]).json()["ids"]) == MOST_JOBS
    problem(api.post("/v1/jobs/batch", json=[wall()] * (MOST_JOBS + 1)), 413, "too-large")
    assert count(ledger) == MOST_JOBS
    assert api.post("/v1/jobs/batch", json=[]).json() == {"ids": []}
    assert problem(api.post("/v1/jobs/batch", json=wall()), 422, "refused")["errors"][0]["pointer"] == "#"


WALL = str(uuid4())
REFUSED = [
    ([wall()], "#", "A job is an object"),
    (wall(colour=SECRET), "#", "none of: kind, payload, priority, run_at"),
    ({"payload": {}}, "#/kind", "/v1/openapi.json"),
    (wall(kind=SECRET), "#/kind", "/v1/openapi.json"),
    (wall(kind="walls.pant"), "#/kind", "unknown kind of job"),
    (wall(payload=SECRET), "#/payload", "an object"),
    (wall(payload={}), "#/payload/wall_id", "lacks wall_id"),
    (wall(payload={"wall_id": SECRET}), "#/payload/wall_id", "wall_id must be a UUID"),
    (wall(payload={"wall_id": f"{SECRET}\x00"}), "#", "cannot store"),
    (wall(payload={"wall_id": WALL, "colour": SECRET}), "#/payload/colour", "one of red, blue"),
    (wall(payload={"wall_id": WALL, "note": SECRET}), "#/payload/note", "its fields are: colour, glossy, wall_id"),
    (wall(payload={"wall_id": WALL, SECRET: 1}), "#/payload", "a field it does not know"),
    (wall(priority=4), "#/priority", "0 (first) to 3 (last)"),
    (wall(priority=True), "#/priority", "0 (first) to 3 (last)"),
    (wall(run_at="2026-11-23T09:30:00"), "#/run_at", "with its offset"),
    (wall(run_at=SECRET), "#/run_at", "with its offset"),
    (wall(run_at="9999-01-01T00:00:00Z"), "#/run_at", "a year ahead"),
    (
        {"kind": "retention.sweep", "payload": {"as_of": "2030-01-01T00:00:00Z"}},
        "#/kind",
        "enqueued by the timetable alone",
    ),
]


def test_what_is_refused_names_the_field_and_quotes_nothing(ledger, api):
    for asked, pointer, said in REFUSED:
        answer = api.post("/v1/jobs", json=asked)
        told = problem(answer, 422, "refused")
        assert told["errors"][0]["pointer"] == pointer, said
        assert said in told["detail"]
        assert SECRET not in answer.text
    assert count(ledger) == 0


def test_what_is_no_json_is_refused(api):
    for body in (b"", b"{", b"\xff", b'{"kind": NaN}', b"[" * 100_000, b"\xef\xbb\xbf{}"):
        problem(api.post("/v1/jobs", content=body, headers={"content-type": "application/json"}), 400, "malformed")


def test_another_content_type_is_refused(api):
    for media in (None, "text/plain", "application/json; charset=latin-1", "multipart/form-data"):
        headers = {"content-type": media} if media else {}
        problem(api.post("/v1/jobs", content=json.dumps(wall()).encode(), headers=headers), 415, "content-type")


def test_a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end(ledger, api):
    body = b'"' + b"x" * MOST_BYTES + b'"'
    problem(api.post("/v1/jobs", content=body, headers={"content-type": "application/json"}), 413, "too-large")
    assert count(ledger) == 0


def test_another_address_and_another_method_are_problems_too(api):
    problem(api.get("/v1/nothing"), 404, "address")
    problem(api.post("/v1/jobs/", json=wall()), 404, "address")
    answer = api.delete("/v1/jobs/1")
    problem(answer, 405, "method")
    assert "GET" in answer.headers["allow"]


def test_a_database_that_is_away_says_when_to_come_back_and_not_where_it_was():
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    app = create_app(engine, environment="test", secret=b"s" * 32)
    with calling(app, new_key()[1]) as api:
        answer = api.post("/v1/jobs", json=wall())
        problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "127.0.0.1" not in answer.text
    engine.dispose()


def test_nothing_that_was_given_is_logged(ledger, app, make_key, caplog):
    caplog.set_level(logging.DEBUG)
    key, once = make_key(), "caller-+4915112345678"
    with calling(app, key) as api:
        asked = wall()
        api.post("/v1/jobs", json=asked, headers={"idempotency-key": once})
        for bad, *_ in REFUSED:
            api.post("/v1/jobs", json=bad, headers={"idempotency-key": once})
    ours = [record for record in caplog.records if record.name.startswith("dashboard")]
    assert {record.message for record in ours} == {"api.enqueued", "api.refused"}
    written = json.dumps([told(record) for record in caplog.records]) + " ".join(map(str, (r.__dict__ for r in ours)))
    for given in (key, key[37:], once, SECRET, asked["payload"]["wall_id"], str(ledger.business)):
        assert given not in written
    assert {"code", "count"} <= set(FIELDS)
    stored = ledger.sql("SELECT string_agg(k::text, ' ') FROM ledger.idempotency_keys k")
    assert SECRET not in stored
    assert key[37:] not in ledger.sql("SELECT string_agg(k::text, ' ') FROM ledger.api_keys k")


def test_a_fault_of_ours_is_a_problem_that_tells_nothing(ledger, app, make_key, caplog):
    ledger.sql("DROP FUNCTION ledger.api_job_v1(uuid, bytea, bigint)")
    headers = {"authorization": f"Bearer {make_key()}"}
    with TestClient(app, base_url=HERE, headers=headers, raise_server_exceptions=False) as api:
        answer = api.get("/v1/jobs/1")
    problem(answer, 500, "fault")
    assert "api_job_v1" not in answer.text
    assert "api.failed" in {record.message for record in caplog.records}


def test_the_description_lists_every_kind_that_may_be_enqueued_and_needs_no_key(ledger, app):
    with calling(app) as anybody:
        answer = anybody.get("/v1/openapi.json")
    assert answer.status_code == 200
    described = answer.json()
    assert described["openapi"].startswith("3.1")
    jobs = {job["properties"]["kind"]["const"]: job for job in described["components"]["schemas"]["Job"]["oneOf"]}
    assert {"walls.paint", "conversations.summarize"} <= set(jobs)
    assert not {"retention.sweep", "retention.expire", "billing.reconcile"} & set(jobs)
    payload = jobs["walls.paint"]["properties"]["payload"]
    assert payload["required"] == ["wall_id"]
    assert payload["properties"]["colour"] == {"enum": ["red", "blue"]}
    assert set(described["paths"]) == {"/jobs", "/jobs/batch", "/jobs/{id}", "/batches", "/batches/{id}"}


def test_a_job_is_answered_with_the_fields_that_are_described(app, api):
    described = api.get("/v1/openapi.json").json()["components"]["schemas"]["JobSeen"]
    job_id = api.post("/v1/jobs", json=wall()).json()["id"]
    assert set(api.get(f"/v1/jobs/{job_id}").json()) == set(described["properties"]) == set(described["required"])
