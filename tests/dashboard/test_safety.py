"""The dashboard is closed: to strangers, to those whose role is to look, to other sites, and to markup."""

import subprocess
import sys
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient, WebSocketDenialResponse

from dashboard.acting import action, made
from dashboard.app import ROUTES, UNSIGNED, create_app, refuse_unguarded
from dashboard.session import SESSION
from ledger.audit import Right
from models.ledger import State
from models.operators import Role
from tests.dashboard.pages import read
from tests.dashboard.people import HERE, USER, browsing, let_in, signed_in, token

STRICT = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
SIGN_IN = ("/sign-in", "/sign-in/oidc", "/sign-in/oidc/back")
SEEN_BY_ANYBODY = ("/healthz", *SIGN_IN)


def addresses():
    """Every route with its methods, and an address that leads to it."""
    for route in ROUTES:
        if isinstance(route, Route):
            path = route.path.replace("{id:int}", "1").replace("{name}", "vic").replace("{kind}", "walls.paint")
            path = path.replace("{fingerprint}", "0123456789abcdef").replace("{id:uuid}", str(UUID(int=1)))
            path = path.replace("{business:uuid}", str(UUID(int=2)))
            assert "{" not in path, "say here what stands for that part of an address"
            for method in sorted(route.methods - {"HEAD"}):
                yield method, path, route
    yield "GET", "/nothing", None


@pytest.fixture
def closed_app():
    """The app over a database that is not there: whatever gets past the guard fails loudly."""
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    yield create_app(engine, environment="test", secret=b"s" * 32)
    engine.dispose()


def test_every_address_is_closed_to_whom_is_not_signed_in(closed_app):
    with browsing(closed_app) as stranger:
        for method, path, _ in addresses():
            if path in SEEN_BY_ANYBODY:
                continue
            answer = stranger.request(method, path)
            if method == "GET":
                assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in"), path
            else:
                assert answer.status_code == 401, path
                assert "Nothing was changed" in answer.text


def test_every_post_of_a_viewer_is_refused_though_its_token_is_good(app, ledger, viewer):
    before = ledger.sql("SELECT count(*) FROM ledger.audit")
    asked = 0
    for method, path, route in addresses():
        if method != "POST" or route.endpoint in UNSIGNED or made(route.endpoint).right is Right.LOOK:
            continue
        answer = viewer.post(path, data={"token": token(app, viewer, path), "why": "because", "role": "admin"})
        assert answer.status_code == 403, path
        asked += 1
    assert asked > 8
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == before


def test_every_post_without_a_token_is_refused_though_an_admin_is_signed_in(ledger, browser):
    before = ledger.sql("SELECT count(*) FROM ledger.audit")
    for method, path, _ in addresses():
        if method == "POST":
            assert browser.post(path, data={"name": USER, "password": "x" * 12}).status_code == 403, path
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == before


def test_a_post_that_acting_did_not_make_keeps_the_dashboard_from_starting():
    with pytest.raises(ValueError, match="past dashboard/acting"):
        refuse_unguarded([Route("/jobs/purge", lambda _: Response(), methods=["POST"])])


def test_a_page_cannot_write_and_an_action_that_records_nothing_is_undone(app, ledger, browser, jobs):
    with app.state.site.engine.connect() as db, pytest.raises(DBAPIError, match="read-only"):
        db.execute(text("SELECT ledger.discard_job_v1(:id)"), {"id": jobs[State.DEAD]})

    @action("jobs.discard", Right.ACT)
    def silent(act):
        act.db.execute(text("SELECT ledger.discard_job_v1(:id)"), {"id": jobs[State.DEAD]})
        return Response()

    app.router.routes.append(Route("/silent", silent, methods=["POST"]))
    with pytest.raises(RuntimeError, match="recorded nothing"):
        browser.post("/silent", data={"token": token(app, browser, "/silent")})
    assert ledger.job(jobs[State.DEAD]).state == "dead"


def test_a_viewer_sees_no_button_and_is_refused_by_the_server_all_the_same(app, viewer, ledger, jobs):
    dead = jobs[State.DEAD]
    page = read(viewer.get(f"/jobs/{dead}"))
    assert [form.action for form in page.forms] == ["/sign-out"]
    assert "Operators" not in page.links
    for path in (f"/jobs/{dead}/retry", f"/jobs/{dead}/discard"):
        answer = viewer.post(path, data={"token": token(app, viewer, path)})
        assert answer.status_code == 403
        assert "Your role is to look" in answer.text
    assert viewer.get(f"/jobs/{dead}/discard").status_code == 403
    assert viewer.get("/operators").status_code == 403
    assert ledger.job(dead).state == "dead"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PRIVACY_OFFICER, Role.ADMIN])
def test_who_may_act_may(app, ledger, jobs, role):
    path = f"/jobs/{jobs[State.DEAD]}/retry"
    with signed_in(app, "jo", role) as someone:
        assert someone.post(path, data={"token": token(app, someone, path)}).status_code == 303
    assert ledger.job(jobs[State.DEAD]).state == "available"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PRIVACY_OFFICER])
def test_only_an_admin_manages_operators(app, role):
    with signed_in(app, "jo", role) as someone:
        assert someone.get("/operators").status_code == 403
        answer = someone.post(
            "/operators", data={"token": token(app, someone, "/operators"), "name": "x", "role": "admin"}
        )
    assert answer.status_code == 403
    assert "Only an admin" in answer.text


def test_a_role_that_is_taken_away_is_gone_with_the_next_press(app, ledger, browser, jobs):
    path = f"/jobs/{jobs[State.DEAD]}/retry"
    with signed_in(app, "jo", Role.OPERATOR) as someone:
        form = read(someone.get(f"/jobs/{jobs[State.DEAD]}")).form("/retry")
        ledger.sql("UPDATE ledger.operators SET role = 'viewer' WHERE name = 'jo'")
        assert someone.post(path, data=form.fields).status_code == 403
    assert ledger.job(jobs[State.DEAD]).state == "dead"


def test_health_needs_no_sign_in_and_tells_one_thing(app, closed_app):
    with TestClient(app, base_url=HERE) as anybody:
        assert (anybody.get("/healthz").status_code, anybody.get("/healthz").text) == (200, "ok\n")
    with TestClient(closed_app, base_url=HERE) as anybody:
        answer = anybody.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "database unreachable\n")


def test_a_database_that_is_away_is_a_page_that_helps(closed_app):
    with browsing(closed_app) as someone:
        sessions = closed_app.state.site.sessions
        someone.cookies.set(SESSION, sessions._signer(SESSION).sign("x" * 43).decode())
        answer = someone.get("/jobs")
    assert answer.status_code == 503
    assert "nexara doctor" in answer.text
    assert "127.0.0.1" not in answer.text
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT


def test_every_answer_has_the_strict_headers(browser, jobs, app):
    dead = jobs[State.DEAD]
    paths = (
        "/",
        "/jobs",
        f"/jobs/{dead}",
        "/kinds",
        "/schedules",
        "/audit",
        "/operators",
        "/me",
        "/nothing",
        "/healthz",
    )
    answers = [
        *(browser.get(path) for path in paths),
        browser.get("/jobs?after=x"),
        browser.post(f"/jobs/{dead}/retry"),
        browser.put("/jobs"),
        TestClient(app, base_url=HERE, follow_redirects=False).get("/"),
        TestClient(app, base_url=HERE).get("/sign-in"),
        TestClient(app, base_url=HERE).post("/jobs/1/retry"),
    ]
    assert {answer.status_code for answer in answers} == {200, 303, 400, 401, 403, 404, 405}
    for answer in answers:
        assert {name: answer.headers.get(name) for name in STRICT} == STRICT
        assert "strict-transport-security" not in answer.headers
    for file, kept in (("page.js", "private, no-cache"), ("vendor/htmx-2.0.11.min.js", "immutable")):
        answer = browser.get(f"/static/{file}")
        assert kept in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")


def test_https_is_asked_to_stay_https(app, engine):
    with TestClient(app, base_url="https://oncall.test") as browser:
        assert "max-age" in browser.get("/healthz").headers["strict-transport-security"]


def test_a_fault_of_the_dashboard_is_a_page_with_the_strict_headers(ledger, app):
    ledger.sql("ALTER TABLE ledger.ticks RENAME COLUMN due_at TO was_due_at")
    with signed_in(app, raise_server_exceptions=False) as someone:
        answer = someone.get("/schedules")
    assert answer.status_code == 500
    assert "Jobs go on regardless" in answer.text
    assert "was_due_at" not in answer.text
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT


MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def test_markup_in_an_error_in_a_reason_and_in_a_name_stays_text(app, ledger, browser, jobs):
    dead = jobs[State.DEAD]
    ledger.sql("UPDATE ledger.attempts SET message = :m, error_class = :m, traceback = :m, place = :m", m=MARKUP)
    path = f"/jobs/{dead}/discard"
    assert browser.post(path, data={"token": token(app, browser, path), "why": MARKUP}).status_code == 303
    ledger.sql("SELECT ledger.audit_v1(:m, 'cli', 'jobs.x', :m, jsonb_build_object(CAST(:m AS text), CAST(:m AS text)),"
               " '{}', jsonb_build_object('x', CAST(:m AS text)), NULL)", m=MARKUP)  # fmt: skip
    for path in ("/", f"/jobs/{dead}", "/jobs", "/audit", f"/audit?who={MARKUP}", f"/sign-in?again=1&next={MARKUP}"):
        answer = browser.get(path)
        page = read(answer)
        assert answer.status_code == 200, path
        assert page.inline_scripts == 0, path
        assert "<img" not in answer.text, path
    assert "&lt;script&gt;" in browser.get("/audit").text
    assert read(browser.get("/audit")).inline_styles == 0


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


def test_a_token_is_good_for_one_session_and_one_address(browser, ledger, jobs, app, engine):
    dead, parked = jobs[State.DEAD], jobs[State.PARKED]
    path = f"/jobs/{dead}/retry"
    elsewhere = create_app(engine, environment="test", secret=b"t" * 32)
    with signed_in(app, "jo", Role.OPERATOR) as other, browsing(app) as same_person:
        let_in(app, same_person, ledger.sql("SELECT id FROM ledger.operators WHERE name = :n", n=USER))
        wrong = {
            "none": "",
            "made up": "x.y.z",
            "of another job": token(app, browser, f"/jobs/{parked}/retry"),
            "of another action": token(app, browser, f"/jobs/{dead}/discard"),
            "of another's session": token(app, other, path),
            "of another session of mine": token(app, same_person, path),
            "of another secret": elsewhere.state.site.forms.token("", path),
        }
    good = token(app, browser, path)
    for whose, given in wrong.items():
        assert browser.post(path, data={"token": given}).status_code == 403, whose
    assert browser.post(path, data={"token": ["x", good]}).status_code == 403
    assert browser.post(path, content=b"token=" + b"x" * 100_000).status_code == 413
    assert browser.post(path, content=b"\xff\xfe").status_code == 403
    assert ledger.job(dead).state == "dead"
    assert browser.post(path, data={"token": good}).status_code == 303


def test_a_token_tells_nothing_of_the_session_that_it_belongs_to(app, browser):
    page = browser.get("/").text
    cookie = browser.cookies[SESSION]
    assert cookie.rpartition(".")[0] not in page
    assert app.state.site.sessions._signer(SESSION).unsign(cookie).decode() not in page


def test_looking_changes_nothing(browser, ledger, jobs):
    def everything():
        tables = (
            "jobs",
            "attempts",
            "workers",
            "ticks",
            "job_kinds",
            "bell",
            "turns",
            "kept_answers",
            "audit",
            "operators",
        )
        return [ledger.sql(f"SELECT jsonb_agg(to_jsonb(t) ORDER BY t::text) FROM ledger.{t} t") for t in tables]

    before = everything()
    paths = ("/", "/jobs", "/kinds", "/schedules", "/audit", "/operators", "/me", "/privacy", "/billing")
    for path in (*paths, *(f"/jobs/{job_id}" for job_id in jobs.values())):
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


def test_what_is_mounted_is_the_static_files_and_the_api_with_keys_of_its_own(app):
    assert {route.path for route in app.routes if isinstance(route, Mount)} == {"/static", "/v1"}


def test_there_is_no_dashboard_without_a_secret(engine):
    with pytest.raises(ValueError, match="secret"):
        create_app(engine, environment="test", secret=b"short")
