"""Signing in through an identity provider: whom it vouches for, and everything that is not believed."""

import dataclasses
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from dashboard.app import create_app
from dashboard.configured import provider as configured
from dashboard.oidc import Oidc, Rule, read_rules
from dashboard.session import SESSION
from ledger.errors import Misconfigured
from models.operators import Role
from settings import Settings
from tests.dashboard.pages import read
from tests.dashboard.people import HERE, add, browsing, signed_in
from tests.dashboard.provider import ANOTHER_KEY, CLIENT, KEY, SECRET, running

JO = {"email": "Jo@nexara.test", "email_verified": True, "groups": ["oncall", "cooks"]}
RULES = "groups=oncall-admins:admin, groups=oncall:operator"
BACK = f"{HERE}/sign-in/oidc/back"


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture
def provider(server):
    server.claims, server.lies, server.userinfo, server.called = dict(JO), {}, None, None
    server.forged, server.key = None, KEY
    server.asked.clear()
    return server


@pytest.fixture
def oidc(provider):
    return Oidc(provider.issuer, CLIENT, SECRET, BACK, frozenset({"nexara.test"}), read_rules(RULES), "Ours")


@pytest.fixture
def app(ledger, engine, oidc):
    return create_app(engine, environment="test", secret=b"s" * 32, oidc=oidc)


@pytest.fixture
def somebody(app):
    with browsing(app) as client:
        yield client


def at_the_provider(address):
    """Follow the browser to the provider, and return where it sends it back to."""
    with httpx.Client() as client:
        back = client.get(address).headers["location"]
    return back.removeprefix(HERE)


def through(client, next_="/jobs", **more):
    """Press the button, sign in there, come back."""
    leave = client.get("/sign-in/oidc", params={"next": next_, **more})
    return client.get(at_the_provider(leave.headers["location"]))


def refused(answer, words, client):
    assert answer.status_code == 403
    assert words in answer.text
    assert client.get("/").status_code == 303, "nobody is signed in"


def test_whom_the_provider_vouches_for_is_let_in_and_made_an_operator(somebody, provider, ledger):
    assert "/sign-in/oidc?next=%2F" in read(somebody.get("/sign-in")).links["With Ours"]
    answer = through(somebody)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    assert somebody.get("/jobs").status_code == 200
    (asked,) = provider.asked
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid email profile"
    assert len(asked["state"]) > 40
    assert len(asked["nonce"]) > 40
    told = ledger.sql("SELECT to_jsonb(o) FROM ledger.operators o")
    assert (told["name"], told["role"], told["password"]) == ("jo@nexara.test", "operator", None)
    assert "4711" not in told["subject"]
    noted = ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a")
    assert (noted["who"], noted["action"], noted["about"]) == ("jo@nexara.test", "operators.sign_in", {"by": "oidc"})


def test_the_role_is_what_the_provider_says_now(somebody, provider, ledger):
    through(somebody)
    provider.claims["groups"] = ["oncall-admins"]
    through(somebody)
    assert ledger.sql("SELECT string_agg(role, ' ') FROM ledger.operators") == "admin"
    provider.claims["groups"] = ["cooks"]
    somebody.cookies.clear()
    refused(through(somebody), "nothing that it says of you gives you a role", somebody)


def test_who_was_disabled_here_is_not_let_in_though_the_provider_vouches(somebody, ledger):
    through(somebody)
    ledger.sql("UPDATE ledger.operators SET disabled_at = now()")
    somebody.cookies.clear()
    refused(through(somebody), "disabled", somebody)


def test_nobody_takes_an_account_over_by_its_name(app, somebody, ledger):
    add(app, "jo@nexara.test", Role.ADMIN)
    refused(through(somebody), "already", somebody)
    assert ledger.sql("SELECT role FROM ledger.operators WHERE subject IS NULL") == "admin"


def test_claims_that_the_token_lacks_are_asked_for_and_believed_of_the_same_person_alone(somebody, provider):
    provider.claims = {"email": JO["email"], "email_verified": True}
    provider.userinfo = {"sub": "4711", "groups": ["oncall"]}
    assert through(somebody).status_code == 303
    somebody.cookies.clear()
    provider.userinfo = {"sub": "another", "groups": ["oncall-admins"]}
    refused(through(somebody), "gives you a role", somebody)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "jo@elsewhere.test"}, "none of the domains"),
        ({"email": "jo@nexara.test.elsewhere.test"}, "none of the domains"),
        ({"email_verified": False}, "none of the domains"),
        ({"email_verified": "true"}, "none of the domains"),
        ({"email_verified": None}, "none of the domains"),
        ({"groups": "oncall-but-not-quite"}, "gives you a role"),
        ({"groups": None}, "gives you a role"),
        ({"groups": ["ONCALL"]}, "gives you a role"),
    ],
)
def test_whom_no_rule_names_is_not_let_in(somebody, provider, ledger, claims, words):
    provider.claims |= claims
    refused(through(somebody), words, somebody)
    assert ledger.sql("SELECT count(*) FROM ledger.operators") == 0


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://elsewhere.test"},
        {"exp": int(time.time()) - 600},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
    ],
)
def test_a_token_for_another_time_browser_client_or_provider_is_not_believed(somebody, provider, lie):
    provider.lies = lie
    refused(through(somebody), "cannot be verified", somebody)


def test_a_signature_that_is_not_the_providers_is_not_believed(somebody, provider):
    provider.key = ANOTHER_KEY
    refused(through(somebody), "cannot be verified", somebody)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_anybody_could_have_written_is_not_believed(somebody, provider, algorithm):
    provider.forged = algorithm
    refused(through(somebody), "cannot be verified", somebody)


def test_a_provider_that_calls_itself_otherwise_is_not_believed(somebody, provider):
    provider.called = "https://elsewhere.test"
    answer = somebody.get("/sign-in/oidc")
    assert answer.status_code == 403
    assert "another name" in answer.text


def test_an_answer_to_another_browser_s_sign_in_is_refused(app, somebody):
    mine = at_the_provider(somebody.get("/sign-in/oidc").headers["location"])
    with browsing(app) as victim:
        refused(victim.get(mine), "began no sign-in", victim)
        victim.get("/sign-in/oidc")
        refused(victim.get(mine), "belongs to no sign-in that this browser began", victim)


def test_an_answer_is_good_once(somebody):
    back = at_the_provider(somebody.get("/sign-in/oidc").headers["location"])
    assert somebody.get(back).status_code == 303
    somebody.cookies.delete(SESSION)
    refused(somebody.get(back), "began no sign-in", somebody)


def test_a_code_of_another_sign_in_does_not_pass_by_its_own_verifier(somebody, app):
    with browsing(app) as attacker:
        stolen = at_the_provider(attacker.get("/sign-in/oidc").headers["location"])
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    own = at_the_provider(somebody.get("/sign-in/oidc").headers["location"])
    state = parse_qs(urlsplit(own).query)["state"][0]
    answer = somebody.get("/sign-in/oidc/back", params={"code": code, "state": state})
    refused(answer, "does not answer as it should", somebody)


def test_what_the_provider_refuses_is_said_without_its_words(somebody):
    leave = somebody.get("/sign-in/oidc").headers["location"]
    state = parse_qs(urlsplit(leave).query)["state"][0]
    told = {"state": state, "error": "access_denied", "error_description": "<b>no</b>"}
    answer = somebody.get("/sign-in/oidc/back", params=told)
    refused(answer, "did not sign you in", somebody)
    assert "<b>no" not in answer.text
    assert "access_denied" not in answer.text


def test_a_provider_that_is_away_says_so_and_passwords_still_work(engine, ledger, oidc):
    away = dataclasses.replace(oidc, issuer="http://127.0.0.1:1")
    app = create_app(engine, environment="test", secret=b"s" * 32, oidc=away)
    with browsing(app) as client:
        answer = client.get("/sign-in/oidc")
    assert answer.status_code == 403
    assert "does not answer" in answer.text
    assert 'name="password"' in answer.text


def test_next_leads_to_our_own_pages_alone(somebody):
    assert through(somebody, "//elsewhere.test").headers["location"] == "/"


def test_proving_it_again_asks_the_provider_to_ask_again(somebody, provider, ledger):
    provider.claims["groups"] = ["oncall-admins"]
    through(somebody)
    ledger.sql("UPDATE ledger.sessions SET made_at = now() - interval '1 hour'")
    assert somebody.get("/operators").headers["location"] == "/sign-in?again=1&next=%2Foperators"
    answer = through(somebody, "/operators", again=1)
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    assert answer.headers["location"] == "/operators"
    assert somebody.get("/operators").status_code == 200
    ledger.sql("UPDATE ledger.sessions SET made_at = now() - interval '1 hour'")
    provider.lies = {"auth_time": int(time.time()) - 3600}
    assert "did not ask you again" in through(somebody, "/operators", again=1).text
    provider.lies = {"auth_time": None}
    assert "cannot be verified" in through(somebody, "/operators", again=1).text
    assert somebody.get("/operators").status_code == 303


def test_an_operator_of_the_provider_has_no_password_here(app, somebody, ledger):
    through(somebody)
    assert "your password is there, and not here" in somebody.get("/me").text
    with signed_in(app, "ada", Role.ADMIN) as admin:
        page = read(admin.get("/operators/jo@nexara.test"))
        assert not [form for form in page.forms if form.action.endswith("/password")]


def test_without_a_provider_its_addresses_lead_nowhere(engine, ledger):
    with browsing(create_app(engine, environment="test", secret=b"s" * 32)) as client:
        assert client.get("/sign-in/oidc").status_code == 404
        assert client.get("/sign-in/oidc/back?code=x&state=y").status_code == 404


def test_rules_are_read_in_their_order():
    assert read_rules("groups=a:admin,*:viewer") == (Rule(Role.ADMIN, "groups", "a"), Rule(Role.VIEWER))
    for wrong in ("groups=a", "groups:admin", "groups=a:owner", "groups=a:cli", "=a:admin", "a b=c:admin"):
        with pytest.raises(ValueError, match="is no rule"):
            read_rules(wrong)


GOOD = {
    "dashboard_oidc_issuer": "https://id.test",
    "dashboard_oidc_client_id": "x",
    "dashboard_url": "https://oncall.test/",
    "dashboard_oidc_roles": "*:viewer",
}


def test_the_settings_make_a_provider():
    made = configured(Settings(**GOOD, dashboard_oidc_domains="Nexara.test, b.test"))
    assert made.redirect_uri == "https://oncall.test/sign-in/oidc/back"
    assert made.domains == {"nexara.test", "b.test"}
    assert configured(Settings()) is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("dashboard_oidc_issuer", "http://id.test"),
        ("dashboard_oidc_client_id", ""),
        ("dashboard_url", ""),
        ("dashboard_url", "http://oncall.test"),
        ("dashboard_oidc_roles", ""),
        ("dashboard_oidc_roles", "groups=a:owner"),
    ],
)
def test_a_setting_that_is_missing_or_cannot_be_is_named(setting, value):
    with pytest.raises(Misconfigured, match=setting.upper()):
        configured(Settings(**{**GOOD, setting: value}))
