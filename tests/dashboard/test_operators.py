"""Managing operators, and one's own page."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger import operators
from ledger.operate import Refused
from models.operators import Role
from tests.dashboard.pages import read
from tests.dashboard.people import PASSWORD, USER, add, browsing, sign_in, signed_in, token

NEW = "another horse in the sun"


def press(app, browser, path, **fields):
    return browser.post(path, data={"token": token(app, browser, path), **fields})


def operator(ledger, name):
    return ledger.sql("SELECT to_jsonb(o) FROM ledger.operators o WHERE name = :n", n=name)


def audited(ledger):
    return ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a ORDER BY id DESC LIMIT 1")


def test_an_admin_adds_somebody_who_can_then_sign_in(app, ledger, browser):
    form = read(browser.get("/operators")).form("/operators")
    answer = browser.post(
        "/operators", data={**form.fields, "name": "Jo", "role": "viewer", "password": NEW, "why": "new here"}
    )
    assert answer.headers["location"] == "/operators/jo?done=added"
    assert "They can sign in now." in browser.get(answer.headers["location"]).text
    told = audited(ledger)
    assert (told["who"], told["role"], told["action"], told["why"]) == (USER, "admin", "operators.add", "new here")
    assert (told["about"], told["after"]) == ({"operator": "jo"}, {"role": "viewer"})
    assert NEW not in str(told)
    with browsing(app) as jo:
        assert sign_in(jo, "jo", NEW).status_code == 303
        assert "viewer" in jo.get("/me").text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": USER}, "already"),
        ({"name": "two words"}, "A name is letters"),
        ({"name": "-x"}, "A name is letters"),
        ({"name": ""}, "A name is letters"),
        ({"role": "cli"}, "A role is one of"),
        ({"role": ""}, "A role is one of"),
        ({"password": "short"}, "12 characters"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "easily guessed"),
        ({"name": "josephine", "password": "josephine-1234"}, "easily guessed"),
        ({"why": "call jo@example.com"}, "names nobody"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(app, ledger, browser, given, words):
    answer = press(app, browser, "/operators", **{"name": "jo", "role": "viewer", "password": NEW, **given})
    assert answer.status_code == 409
    assert words in answer.text
    assert ledger.sql("SELECT count(*) FROM ledger.operators") == 1
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == 0


def test_a_role_a_password_and_the_door(app, ledger, browser):
    with signed_in(app, "jo", Role.VIEWER) as jo:
        press(app, browser, "/operators/jo/role", role="operator")
        assert audited(ledger)["before"] == {"role": "viewer"}
        assert "operator" in jo.get("/me").text
        press(app, browser, "/operators/jo/password", password=NEW)
        assert jo.get("/").status_code == 303
        assert sign_in(jo, "jo", PASSWORD).status_code == 403
        assert sign_in(jo, "jo", NEW).status_code == 303
        press(app, browser, "/operators/jo/sign-out")
        assert jo.get("/").status_code == 303
        sign_in(jo, "jo", NEW)
        press(app, browser, "/operators/jo/disable", why="left us")
        assert jo.get("/").status_code == 303
        assert sign_in(jo, "jo", NEW).status_code == 403
        assert "disabled" in browser.get("/operators").text
        press(app, browser, "/operators/jo/enable")
        assert sign_in(jo, "jo", NEW).status_code == 303
    done = ledger.sql("SELECT array_agg(action ORDER BY id) FROM ledger.audit WHERE who = :n", n=USER)
    assert done == [f"operators.{what}" for what in ("role", "password", "end_sessions", "disable", "enable")]


def test_nobody_changes_themselves_and_somebody_who_is_not_there_is_said(app, ledger, browser):
    for what in ("role", "disable", "password", "sign-out"):
        answer = press(app, browser, f"/operators/{USER}/{what}", role="viewer", password=NEW)
        assert answer.status_code == 409
        assert "This is you" in answer.text
        assert press(app, browser, f"/operators/nobody/{what}", role="viewer", password=NEW).status_code == 404
    assert browser.get("/operators/nobody").status_code == 404
    assert operator(ledger, USER)["role"] == "admin"


def test_the_last_admin_stays(ledger, engine):
    with engine.begin() as db:
        operators.add(db, "ada", Role.ADMIN, NEW)
        operators.add(db, "bob", Role.ADMIN, NEW)
        operators.disable(db, "bob")
    for ending in (
        lambda db: operators.disable(db, "ada"),
        lambda db: operators.set_role(db, "ada", Role.VIEWER),
        lambda db: operators.set_role(db, "ada", Role.PRIVACY_OFFICER),
    ):
        with engine.begin() as db, pytest.raises(Refused, match="last admin"):
            ending(db)
    assert operator(ledger, "ada")["role"] == "admin"


def test_two_admins_who_end_each_other_at_once_leave_one(app, ledger):
    with (
        signed_in(app, "ada", Role.ADMIN) as ada,
        signed_in(app, "bob", Role.ADMIN) as bob,
        ThreadPoolExecutor(2) as pool,
    ):
        presses = [
            pool.submit(press, app, ada, "/operators/bob/disable"),
            pool.submit(press, app, bob, "/operators/ada/disable"),
        ]
        answers = sorted(each.result().status_code for each in presses)
    assert answers[0] == 303
    assert answers[1] in (401, 409)
    assert ledger.sql("SELECT count(*) FROM ledger.operators WHERE disabled_at IS NULL") == 1


def test_managing_operators_asks_for_a_sign_in_of_the_last_minutes(app, ledger, browser):
    add(app, "jo", Role.VIEWER)
    form = read(browser.get("/operators/jo")).form("/role")
    ledger.sql("UPDATE ledger.sessions SET made_at = now() - interval '11 minutes'")
    assert browser.get("/operators").headers["location"] == "/sign-in?again=1&next=%2Foperators"
    stale = browser.post(
        form.action, data={**form.fields, "role": "admin"}, headers={"referer": "http://oncall.test/operators/jo"}
    )
    assert stale.status_code == 403
    assert read(stale).links["Sign in again"] == "/sign-in?again=1&next=%2Foperators%2Fjo"
    assert operator(ledger, "jo")["role"] == "viewer"
    asked = browser.get("/sign-in?again=1&next=/operators/jo")
    assert "Is it still you?" in asked.text
    again = read(asked).form("/sign-in")
    assert again.fields["name"] == USER
    answer = browser.post("/sign-in", data={**again.fields, "password": PASSWORD})
    assert answer.headers["location"] == "/operators/jo"
    assert browser.get("/operators/jo").status_code == 200
    assert browser.post(form.action, data={**form.fields, "role": "admin"}).status_code == 403, (
        "a form of the old session"
    )


def test_my_own_password(app, ledger, browser):
    assert "Sign out everywhere else" not in browser.get("/me").text
    with browsing(app) as elsewhere:
        sign_in(elsewhere)
        assert "Sign out everywhere else" in browser.get("/me").text
        assert "not typed the same twice" in press(app, browser, "/me/password", password=NEW, again=NEW + "!").text
        assert press(app, browser, "/me/password", password=NEW, again=NEW).status_code == 303
        assert elsewhere.get("/").status_code == 303
        assert browser.get("/").status_code == 200
        assert sign_in(elsewhere, USER, NEW).status_code == 303
        press(app, browser, "/me/sign-out")
        assert elsewhere.get("/").status_code == 303
    ledger.sql("UPDATE ledger.sessions SET made_at = now() - interval '11 minutes'")
    assert "sign in once more" in browser.get("/me").text
    assert press(app, browser, "/me/password", password=PASSWORD, again=PASSWORD).status_code == 403


def test_a_viewer_changes_their_own_password_too(app, viewer):
    assert press(app, viewer, "/me/password", password=NEW, again=NEW).status_code == 303
