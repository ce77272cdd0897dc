"""Who opens the dashboard: operators of each role, signed in, and strangers."""

from contextlib import contextmanager

from sqlalchemy import text
from starlette.testclient import TestClient

from dashboard.session import SESSION, key_of
from ledger.passwords import hash_again
from ledger.sessions import Trying, begin, new_secret
from models.operators import Role
from tests.dashboard.pages import read

HERE = "http://oncall.test"
USER, PASSWORD = "kim", "a horse in the rain"
HASHED = hash_again(PASSWORD)
FROM_HERE = {"origin": HERE, "sec-fetch-site": "same-origin"}
ADD = text("SELECT ledger.add_operator_v1(:name, :role, :password)")


def add(app, name, role):
    """Add an operator whose password is PASSWORD."""
    with app.state.site.acting.begin() as db:
        return db.execute(ADD, {"name": name, "role": str(role), "password": HASHED}).scalar_one()


@contextmanager
def browsing(app, here=HERE, **more):
    """Somebody's browser, which says that it posts from our own pages."""
    headers = {"origin": here, "sec-fetch-site": "same-origin"}
    with TestClient(app, base_url=here, headers=headers, follow_redirects=False, **more) as client:
        yield client


@contextmanager
def signed_in(app, name=USER, role=Role.ADMIN, **more):
    """The browser of a new operator who is signed in."""
    operator_id = add(app, name, role)
    with browsing(app, **more) as client:
        let_in(app, client, operator_id)
        yield client


def let_in(app, client, operator_id):
    """Sign a browser in without asking for the password; returns the session's secret."""
    secret = new_secret()
    with app.state.site.acting.begin() as db:
        begin(db, operator_id, secret, None, Trying("", ""))
    sessions = app.state.site.sessions
    client.cookies.set(SESSION, sessions._signer(SESSION).sign(secret).decode())
    return secret


def token(app, client, path):
    """Return the token with which this browser may post to a path."""
    secret = app.state.site.sessions._signer(SESSION).unsign(client.cookies[SESSION]).decode()
    return app.state.site.forms.token(key_of(secret), path)


def sign_in(client, name=USER, password=PASSWORD, next_=None):
    """Fill in the form and press the button."""
    form = read(client.get("/sign-in", params={"next": next_} if next_ else {})).form("/sign-in")
    return client.post("/sign-in", data={**form.fields, "name": name, "password": password})
