"""Signing in and out: what opens a session, what ends it, and what a guesser is told."""

import statistics
import time

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.session import SESSION, VISIT
from dashboard.signing_in import WRONG, safe_next
from ledger.passwords import hash_of
from models.ledger import State
from models.operators import Role
from tests.dashboard.pages import press, read
from tests.dashboard.people import PASSWORD, USER, add, browsing, let_in, sign_in, signed_in, token

MOST_OF_AN_ADDRESS, MOST_OF_A_NAME = 10, 20


@pytest.fixture
def somebody(app):
    """A browser that is not signed in, of an operator that there is."""
    add(app, USER, Role.OPERATOR)
    with browsing(app) as client:
        yield client


def cookie(answer, name=SESSION):
    """Return a cookie as it is set, with its attributes in lower case."""
    return next((c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{name}=")), "").lower()


def test_name_and_password_open_the_page_that_was_asked_for(somebody, ledger):
    asked = somebody.get("/jobs?state=dead")
    assert asked.headers["location"] == "/sign-in?next=/jobs%3Fstate%3Ddead"
    form = read(somebody.get(asked.headers["location"])).form("/sign-in")
    answer = somebody.post("/sign-in", data={**form.fields, "name": f" {USER.upper()} ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?state=dead")
    page = somebody.get(answer.headers["location"])
    assert page.status_code == 200
    assert USER in page.text
    told = ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a")
    assert (told["who"], told["action"], told["about"]) == (USER, "operators.sign_in", {"by": "password"})


def test_a_wrong_password_and_a_name_of_nobody_are_answered_alike(somebody):
    answers = [sign_in(somebody, USER, "wrong"), sign_in(somebody, "nobody", PASSWORD), sign_in(somebody, USER, "")]
    assert {answer.status_code for answer in answers} == {403}
    assert all(WRONG in answer.text for answer in answers)
    assert not any(cookie(answer) for answer in answers)
    bodies = {
        read(a).forms[-1].action + a.text.replace(f'value="{n}"', "")[:200]
        for a, n in zip(answers, (USER, "nobody", USER), strict=True)
    }
    assert len(bodies) == 1
    assert somebody.get("/").status_code == 303


def test_a_name_of_nobody_takes_as_long_as_a_wrong_password(app, ledger):
    """Both hash once. A path that skipped the hash would be some twenty times as fast."""
    add(app, USER, Role.OPERATOR)
    took = {USER: [], "nobody": []}
    with browsing(app) as client:
        for _ in range(5):
            ledger.sql("DELETE FROM ledger.sign_in_tries")
            for name, times in took.items():
                began = time.perf_counter()
                sign_in(client, name, "a wrong password")
                times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.4 < unknown / known < 2.5


def test_who_is_disabled_or_has_no_password_is_let_in_with_none(app, ledger, somebody):
    ledger.sql("UPDATE ledger.operators SET disabled_at = now()")
    assert WRONG in sign_in(somebody).text
    ledger.sql("UPDATE ledger.operators SET disabled_at = NULL, password = NULL")
    assert WRONG in sign_in(somebody, password="nobody has this password").text


def test_guessing_is_limited_by_address_and_the_right_password_is_not_looked_at_until_then(somebody, ledger):
    for _ in range(MOST_OF_AN_ADDRESS):
        assert sign_in(somebody, USER, "guess").status_code == 403
    answer = sign_in(somebody)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert somebody.get("/").status_code == 303
    ledger.sql("UPDATE ledger.sign_in_tries SET since = since - interval '16 minutes'")
    assert sign_in(somebody).status_code == 303


def test_guessing_at_one_name_is_limited_from_however_many_addresses(app, ledger):
    add(app, USER, Role.OPERATOR)
    for host in range(MOST_OF_A_NAME):
        with browsing(app, client=(f"192.0.2.{host}", 1)) as guesser:
            assert sign_in(guesser, USER, "guess").status_code == 403
    with browsing(app, client=("192.0.2.99", 1)) as guesser:
        assert sign_in(guesser).status_code == 429
        assert sign_in(guesser, "nobody", "guess").status_code == 403


def test_one_address_locks_nobody_else_out(app):
    add(app, USER, Role.OPERATOR)
    with browsing(app, client=("192.0.2.1", 1)) as guesser:
        for _ in range(MOST_OF_A_NAME + 10):
            sign_in(guesser, USER, "guess")
    with browsing(app, client=("192.0.2.2", 1)) as owner:
        assert sign_in(owner).status_code == 303


def test_a_network_of_ipv6_is_one_address(app):
    for host in range(MOST_OF_AN_ADDRESS):
        with browsing(app, client=(f"2001:db8::{host:x}", 1)) as guesser:
            sign_in(guesser, f"name{host}", "guess")
    with browsing(app, client=("2001:db8::ffff", 1)) as guesser:
        assert sign_in(guesser).status_code == 429
    with browsing(app, client=("2001:db8:0:1::1", 1)) as other:
        assert sign_in(other).status_code == 403


def test_neither_names_nor_addresses_are_kept_of_tries(somebody, ledger):
    sign_in(somebody, "somebodys-name", "guess")
    kept = ledger.sql("SELECT string_agg(t::text, ' ') FROM ledger.sign_in_tries t")
    assert "somebodys-name" not in kept
    assert "testclient" not in kept


def test_signing_in_gives_the_tries_back(somebody, ledger):
    for _ in range(3):
        for _ in range(MOST_OF_AN_ADDRESS - 1):
            sign_in(somebody, USER, "guess")
        assert sign_in(somebody).status_code == 303
        somebody.cookies.clear()
        ledger.sql("UPDATE ledger.sign_in_tries SET count = 0")
    for _ in range(2 * MOST_OF_AN_ADDRESS):
        assert sign_in(somebody).status_code == 303
        somebody.cookies.clear()


def test_the_sign_in_form_belongs_to_the_browser_that_it_was_shown_to(app, somebody):
    form = read(somebody.get("/sign-in")).form("/sign-in")
    given = {**form.fields, "name": USER, "password": PASSWORD}
    with browsing(app) as victim:
        victim.get("/sign-in")
        assert victim.post("/sign-in", data=given).status_code == 403
        assert victim.get("/").status_code == 303
    somebody.headers["origin"] = "https://elsewhere.test"
    assert somebody.post("/sign-in", data=given).status_code == 403


def test_a_session_is_in_a_cookie_that_no_script_reads_and_no_other_site_sends(somebody):
    set_ = cookie(sign_in(somebody))
    for attribute in ("httponly", "samesite=lax", "path=/", "max-age=43200"):
        assert attribute in set_
    assert "secure" not in set_


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_under_https_the_cookie_is_for_this_host_alone_though_a_proxy_ends_it(engine, ledger, scheme):
    app = create_app(engine, environment="production", secret=b"s" * 32, https=scheme == "http")
    add(app, USER, Role.OPERATOR)
    with browsing(app, f"{scheme}://oncall.test") as client:
        form = client.get("/sign-in")
        assert cookie(form, f"__Host-{VISIT}")
        held = dict(client.cookies.items()) or dict([cookie_pair(form)])
        answer = client.post(
            "/sign-in",
            data={**read(form).form("/sign-in").fields, "name": USER, "password": PASSWORD},
            headers={"cookie": "; ".join(f"{n}={v}" for n, v in held.items())},
        )
    set_ = cookie(answer, f"__Host-{SESSION}")
    assert "secure" in set_
    assert "domain" not in set_
    assert not cookie(answer, SESSION)


def cookie_pair(answer):
    name, _, value = answer.headers["set-cookie"].split(";")[0].partition("=")
    return name, value


def test_each_sign_in_is_a_new_session_and_ends_the_one_before(somebody, ledger):
    first = cookie_pair(sign_in(somebody))[1]
    somebody.get("/sign-in?again=1")
    form = read(somebody.get("/sign-in?again=1")).form("/sign-in")
    second = cookie_pair(somebody.post("/sign-in", data={**form.fields, "password": PASSWORD}))[1]
    assert first != second
    assert ledger.sql("SELECT count(*) FROM ledger.sessions") == 1
    somebody.cookies.clear()
    somebody.cookies.set(SESSION, first)
    assert somebody.get("/").status_code == 303


def test_a_planted_session_is_not_taken_over(app, somebody):
    with signed_in(app, "mallory", Role.VIEWER) as attacker:
        planted = attacker.cookies[SESSION]
        somebody.cookies.set(SESSION, planted)
        form = read(somebody.get("/sign-in?again=1")).form("/sign-in")
        answer = somebody.post("/sign-in", data={**form.fields, "name": USER, "password": PASSWORD})
        assert cookie_pair(answer)[1] != planted
        assert attacker.get("/").status_code == 303


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE ledger.sessions SET seen_at = now() - interval '2 hours 1 second'",
        "UPDATE ledger.sessions SET made_at = now() - interval '12 hours 1 second'",
        "DELETE FROM ledger.sessions",
        "UPDATE ledger.operators SET disabled_at = now()",
    ],
)
def test_a_session_that_expired_or_was_revoked_opens_and_changes_nothing(app, ledger, browser, jobs, ended):
    dead = jobs[State.DEAD]
    path = f"/jobs/{dead}/retry"
    good = token(app, browser, path)
    ledger.sql(ended)
    assert browser.get("/jobs").headers["location"] == "/sign-in?next=/jobs"
    answer = browser.post(path, data={"token": good})
    assert answer.status_code == 401
    assert "Nothing was changed" in answer.text
    assert ledger.job(dead).state == "dead"


def test_a_session_that_ends_between_the_guard_and_the_action_changes_nothing(app, ledger, browser, jobs):
    """The action asks again, in its own transaction: here the session ends while the request's body is on its way."""
    path = f"/jobs/{jobs[State.DEAD]}/retry"
    body = f"token={token(app, browser, path)}".encode()

    def slowly():
        yield body[:5]
        ledger.sql("DELETE FROM ledger.sessions")
        yield body[5:]

    answer = browser.post(path, content=slowly(), headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 401
    assert ledger.job(jobs[State.DEAD]).state == "dead"


def test_a_tampered_cookie_is_no_session(browser):
    value = browser.cookies[SESSION]
    secret, _, signature = value.rpartition(".")
    flipped = ("A" if secret[0] != "A" else "B") + secret[1:]
    for forged in (flipped + "." + signature, secret, secret + ".", f".{signature}", value + "x", "x", "", "\x7f"):
        browser.cookies.clear()
        answer = browser.get("/", headers={"cookie": f"{SESSION}={forged}"})
        assert answer.status_code == 303, forged
    assert browser.get("/", headers={"cookie": f"{SESSION}={value}"}).status_code == 200


def test_a_visitors_cookie_is_no_session(app, somebody):
    somebody.get("/sign-in")
    value = somebody.cookies[VISIT]
    assert somebody.get("/", headers={"cookie": f"{SESSION}={value}"}).status_code == 303


def test_a_page_that_looks_by_itself_keeps_no_session_alive(browser, ledger):
    ledger.sql("UPDATE ledger.sessions SET seen_at = now() - interval '1 hour'")
    browser.get("/", headers={"hx-request": "true"})
    assert ledger.sql("SELECT count(*) FROM ledger.sessions WHERE seen_at < now() - interval '59 minutes'") == 1
    browser.get("/")
    assert ledger.sql("SELECT count(*) FROM ledger.sessions WHERE seen_at > now() - interval '1 minute'") == 1


def test_a_part_of_a_page_whose_session_ended_leads_the_whole_page_to_sign_in(browser, ledger):
    ledger.sql("DELETE FROM ledger.sessions")
    answer = browser.get("/jobs/1", headers={"hx-request": "true", "hx-current-url": "http://oncall.test/jobs/1"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?next=/jobs/1")


def test_signing_out_ends_the_session_and_is_noted(browser, ledger):
    value = browser.cookies[SESSION]
    answer = press(browser, "/", "/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?out=1")
    assert "max-age=0" in cookie(answer)
    assert "You are signed out." in browser.get("/sign-in?out=1").text
    assert browser.get("/", headers={"cookie": f"{SESSION}={value}"}).status_code == 303
    assert ledger.sql("SELECT count(*) FROM ledger.audit WHERE action = 'operators.sign_out'") == 1
    assert ledger.sql("SELECT count(*) FROM ledger.sessions") == 0


def test_what_is_stored_opens_nothing(app, browser, ledger):
    cookie_ = browser.cookies[SESSION]
    secret = app.state.site.sessions._signer(SESSION).unsign(cookie_).decode()
    kept = ledger.sql("SELECT string_agg(s::text || o::text, ' ') FROM ledger.sessions s, ledger.operators o")
    assert secret not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


ELSEWHERE = [
    "https://elsewhere.test",
    "//elsewhere.test",
    "/\\elsewhere.test",
    "\\\\elsewhere.test",
    "/\t/elsewhere.test",
    "javascript:alert(1)",
    "elsewhere.test",
    "/sign-in?next=/",
    "/sign-out",
    " //elsewhere.test",
    "/\n/elsewhere.test",
    "http:/elsewhere.test",
    "/%0d%0aSet-Cookie:x",
    "",
    None,
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_next_leads_nowhere_but_to_our_own_pages(address):
    assert safe_next(address) in ("/", "/%0d%0aSet-Cookie:x")


def test_next_is_not_believed_from_the_address_nor_from_the_form(somebody):
    assert sign_in(somebody, next_="https://elsewhere.test/").headers["location"] == "/"
    somebody.cookies.clear()
    form = read(somebody.get("/sign-in")).form("/sign-in")
    given = {**form.fields, "name": USER, "password": PASSWORD, "next": "//elsewhere.test"}
    assert somebody.post("/sign-in", data=given).headers["location"] == "/"


def test_who_is_signed_in_is_not_asked_again(browser):
    assert browser.get("/sign-in?next=/jobs").headers["location"] == "/jobs"


def test_a_password_that_was_hashed_for_less_is_hashed_anew(app, ledger, somebody):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    ledger.sql("UPDATE ledger.operators SET password = :p", p=weak)
    assert sign_in(somebody).status_code == 303
    stored = ledger.sql("SELECT password FROM ledger.operators")
    assert stored.split("$")[3] == hash_of(PASSWORD, USER).split("$")[3]


def test_the_environment_is_named_before_anybody_signs_in(engine, ledger):
    tones = {}
    for environment in ("production", "staging", "development"):
        app = create_app(engine, environment=environment, secret=b"s" * 32)
        with TestClient(app, base_url="http://oncall.test") as anybody:
            page = anybody.get("/sign-in").text
        assert f">{environment}<" in page
        tones[environment] = page.split('<body class="')[1].split('"')[0]
    assert len(set(tones.values())) == 3


def test_let_in_helper_is_what_signing_in_does(app, somebody, ledger):
    """What other tests sign in with makes the same row as the form does."""
    sign_in(somebody)
    with browsing(app) as other:
        let_in(app, other, ledger.sql("SELECT id FROM ledger.operators"))
        assert other.get("/me").status_code == somebody.get("/me").status_code == 200
    assert ledger.sql("SELECT count(*) FROM ledger.sessions") == 2
