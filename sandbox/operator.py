"""Somebody who is on call in a sandbox: added to its ledger, and signed in to its dashboard as people are."""

import re
import secrets

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ledger.passwords import hash_again

NAME = "oncall"
HERE = "http://dashboard.test"
ADD = text("SELECT ledger.add_operator_v1(:name, 'admin', :password)")
TOKEN = re.compile(r'name="token" value="([^"]+)"')


def cookies(app: Starlette) -> dict[str, str]:
    """Add an admin, sign them in, and return the cookies of their browser."""
    password = secrets.token_urlsafe(16)
    with app.state.site.acting.begin() as db:
        db.execute(ADD, {"name": NAME, "password": hash_again(password)})
    with TestClient(app, base_url=HERE, headers={"origin": HERE}, follow_redirects=False) as browser:
        found = TOKEN.search(browser.get("/sign-in").text)
        assert found is not None  # noqa: S101 - the form has its token
        answer = browser.post("/sign-in", data={"token": found[1], "name": NAME, "password": password})
        if answer.status_code != 303:  # noqa: PLR2004 - see other: the overview
            raise RuntimeError(f"signing in was answered with {answer.status_code}")
        return dict(browser.cookies)
