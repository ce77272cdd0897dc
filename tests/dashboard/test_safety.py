"""The dashboard is closed: to strangers, to guessers, to other sites, and to buttons that are not its own."""

import subprocess
import sys

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from sqlalchemy import create_engine
from starlette.testclient import TestClient, WebSocketDenialResponse

from dashboard.app import create_app
from dashboard.forms import GOOD_FOR, Forms
from dashboard.guard import PER_SECONDS, WRONG_TRIES, Tries
from dashboard.main import serve
from ledger.errors import Misconfigured
from models.ledger import State
from settings import Settings
from tests.dashboard.conftest import HERE, PASSWORD, USER
from tests.dashboard.pages import read

STRICT = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


def test_there_is_no_dashboard_without_a_password(engine):
    for user, password, secret in (
        ("", "p", b"s" * 32),
        ("u", "", b"s" * 32),
        ("u", "p", b""),
        ("u:v", "p", b"s" * 32),
    ):
        with pytest.raises(ValueError, match="needs a user"):
            create_app(engine, user=user, password=password, environment="test", secret=secret)


@pytest.mark.parametrize("missing", ["DASHBOARD_DATABASE_URL", "DASHBOARD_PASSWORD", "DASHBOARD_USER"])
def test_serving_names_the_setting_that_is_missing(missing):
    given = {
        "DASHBOARD_DATABASE_URL": "postgresql+psycopg://x",
        "DASHBOARD_PASSWORD": "p",
        "DASHBOARD_USER": "u",
        missing: "",
    }
    with pytest.raises(Misconfigured, match=missing):
        serve(Settings(**{name.lower(): value for name, value in given.items()}))


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/1", "/kinds", "/schedules", "/static/dashboard.css", "/nothing"])
@pytest.mark.parametrize(
    "signed_in_as", [None, (USER, "wrong"), ("somebody", PASSWORD), ("", ""), (USER, PASSWORD + "x")]
)
def test_who_cannot_sign_in_sees_nothing(closed_app, path, signed_in_as):
    with TestClient(closed_app, base_url=HERE) as stranger:
        answer = stranger.get(path, auth=signed_in_as) if signed_in_as else stranger.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Bearer x", "Basic b25jYWxs", "basic " + "A" * 10_000])
def test_a_broken_sign_in_is_no_sign_in(closed_app, header):
    with TestClient(closed_app, base_url=HERE) as stranger:
        assert stranger.get("/", headers={"authorization": header}).status_code == 401


@pytest.fixture
def closed_app():
    """The app over a database that is not there: whatever gets past the guard fails loudly."""
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    yield create_app(engine, user=USER, password=PASSWORD, environment="test", secret=b"s" * 32)
    engine.dispose()


def test_health_needs_no_sign_in_and_tells_one_thing(app, closed_app):
    with TestClient(app, base_url=HERE) as anybody:
        assert (anybody.get("/healthz").status_code, anybody.get("/healthz").text) == (200, "ok\n")
    with TestClient(closed_app, base_url=HERE) as anybody:
        answer = anybody.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "database unreachable\n")


def test_a_database_that_is_away_is_a_page_that_helps(closed_app):
    with TestClient(closed_app, base_url=HERE) as browser:
        browser.auth = (USER, PASSWORD)
        answer = browser.get("/jobs")
    assert answer.status_code == 503
    assert "nexara doctor" in answer.text
    assert "127.0.0.1" not in answer.text


def test_guessing_is_slowed_down_and_the_right_password_too_until_then(closed_app):
    with TestClient(closed_app, base_url=HERE) as guesser:
        for _ in range(WRONG_TRIES):
            assert guesser.get("/healthzz", auth=(USER, "guess")).status_code == 401
        answer = guesser.get("/kinds", auth=(USER, PASSWORD))
        assert guesser.get("/healthz").status_code == 503
        assert guesser.get("/").status_code == 401
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= PER_SECONDS


def test_tries_are_each_clients_own_and_forgotten_after_a_while():
    now = [1000.0]
    tries = Tries(lambda: now[0])
    for _ in range(WRONG_TRIES):
        assert tries.must_wait("a") == 0
        tries.note("a")
    assert tries.must_wait("a") == pytest.approx(PER_SECONDS)
    assert tries.must_wait("b") == 0
    now[0] += PER_SECONDS + 1
    assert tries.must_wait("a") == 0


def test_every_answer_has_the_strict_headers(browser, jobs, app):
    dead = jobs[State.DEAD]
    answers = [
        *(
            browser.get(path)
            for path in ("/", "/jobs", f"/jobs/{dead}", "/kinds", "/schedules", "/nothing", "/healthz")
        ),
        browser.get("/jobs?after=x"),
        browser.post(f"/jobs/{dead}/retry"),
        browser.put("/jobs"),
        TestClient(app, base_url=HERE).get("/"),
    ]
    assert {answer.status_code for answer in answers} == {200, 400, 401, 403, 404, 405}
    for answer in answers:
        assert {name: answer.headers.get(name) for name in STRICT} == STRICT
        assert "strict-transport-security" not in answer.headers
    for file, kept in (("page.js", "private, no-cache"), ("vendor/htmx-2.0.11.min.js", "immutable")):
        answer = browser.get(f"/static/{file}")
        assert kept in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")


def test_https_is_asked_to_stay_https(app):
    with TestClient(app, base_url="https://oncall.test") as browser:
        assert "max-age" in browser.get("/healthz").headers["strict-transport-security"]


def test_a_fault_of_the_dashboard_is_a_page_with_the_strict_headers(ledger, engine):
    ledger.sql("ALTER TABLE ledger.ticks RENAME COLUMN due_at TO was_due_at")
    app = create_app(engine, user=USER, password=PASSWORD, environment="test", secret=b"s" * 32)
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as browser:
        answer = browser.get("/schedules", auth=(USER, PASSWORD))
    assert answer.status_code == 500
    assert "Jobs go on regardless" in answer.text
    assert "was_due_at" not in answer.text
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT


def post_from(browser, headers, path, token):
    for name in ("origin", "sec-fetch-site"):
        browser.headers.pop(name, None)
    return browser.post(path, data={"token": token}, headers=headers)


REFUSED_ORIGINS = [
    {},
    {"origin": "https://elsewhere.test"},
    {"origin": "null"},
    {"origin": f"{HERE}.elsewhere.test"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": HERE, "sec-fetch-site": "cross-site"},
    {"origin": "https://elsewhere.test", "sec-fetch-site": "same-origin"},
]


def test_a_post_from_elsewhere_is_refused_though_its_token_is_good(browser, ledger, jobs):
    path = f"/jobs/{jobs[State.DEAD]}/retry"
    token = read(browser.get(f"/jobs/{jobs[State.DEAD]}")).form("/retry").fields["token"]
    for headers in REFUSED_ORIGINS:
        answer = post_from(browser, headers, path, token)
        assert answer.status_code == 403, headers
        assert "another site" in answer.text
    assert ledger.job(jobs[State.DEAD]).state == "dead"


@pytest.mark.parametrize("headers", [{"origin": HERE}, {"sec-fetch-site": "same-origin"}])
def test_a_post_from_here_is_believed(browser, ledger, jobs, headers):
    token = read(browser.get(f"/jobs/{jobs[State.DEAD]}")).form("/retry").fields["token"]
    assert post_from(browser, headers, f"/jobs/{jobs[State.DEAD]}/retry", token).status_code == 303
    assert ledger.job(jobs[State.DEAD]).state == "available"


def test_a_token_is_good_for_one_user_one_address_and_an_hour(browser, ledger, jobs, app):
    dead, parked = jobs[State.DEAD], jobs[State.PARKED]
    path = f"/jobs/{dead}/retry"
    forms = app.state.site.forms
    wrong = {
        "none": "",
        "made up": "x.y.z",
        "of another job": forms.token(USER, f"/jobs/{parked}/retry"),
        "of another action": forms.token(USER, f"/jobs/{dead}/discard"),
        "of another user": forms.token("somebody", path),
        "of another secret": Forms(b"t" * 32).token(USER, path),
    }
    for whose, token in wrong.items():
        assert browser.post(path, data={"token": token}).status_code == 403, whose
    assert browser.post(path, data={"token": ["x", forms.token(USER, path)]}).status_code == 403
    assert browser.post(path, content=b"token=" + b"x" * 100_000).status_code == 413
    assert browser.post(path, content=b"\xff\xfe").status_code == 403
    assert ledger.job(dead).state == "dead"


class Earlier(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - GOOD_FOR - 2


def test_a_token_ends_after_an_hour(browser, ledger, jobs):
    path = f"/jobs/{jobs[State.DEAD]}/retry"
    signer = URLSafeTimedSerializer(b"s" * 32, salt="nexara.dashboard.form", signer=Earlier)
    answer = browser.post(path, data={"token": signer.dumps([USER, path])})
    assert answer.status_code == 403
    assert "over an hour" in answer.text
    assert ledger.job(jobs[State.DEAD]).state == "dead"


def test_looking_changes_nothing(browser, ledger, jobs):
    def everything():
        tables = ("jobs", "attempts", "workers", "ticks", "job_kinds", "bell", "turns", "kept_answers")
        return [ledger.sql(f"SELECT jsonb_agg(to_jsonb(t) ORDER BY t::text) FROM ledger.{t} t") for t in tables]

    before = everything()
    for path in ("/", "/jobs", "/kinds", "/schedules", *(f"/jobs/{job_id}" for job_id in jobs.values())):
        browser.get(path)
        browser.head(path)
    for job_id in jobs.values():
        browser.get(f"/jobs/{job_id}/discard")
        assert browser.get(f"/jobs/{job_id}/retry").status_code == 405
    assert everything() == before


def test_the_dashboard_loads_no_vendor_no_handler_and_no_sandbox():
    # schedules.table names payloads; a handler would bring a vendor's SDK with it.
    code = (
        "import sys, dashboard.main\n"
        "vendors = {'providers', 'sandbox', 'workers', 'deepgram', 'anthropic', 'resend', 'boto3'}\n"
        "loaded = [m for m in sys.modules if m.split('.')[0] in vendors]\n"
        "loaded += [m for m in sys.modules if m.startswith('jobs.') and m.count('.') > 1 and 'payloads' not in m]\n"
        "sys.exit(', '.join(loaded) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_guard_lets_no_websocket_by(closed_app):
    with (
        TestClient(closed_app, base_url=HERE) as stranger,
        pytest.raises(WebSocketDenialResponse) as denied,
        stranger.websocket_connect("/"),
    ):
        pass
    assert denied.value.status_code == 401
