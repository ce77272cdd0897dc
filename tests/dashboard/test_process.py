"""The dashboard as the process that operators start."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from dashboard.main import first_admin, signing_secret
from ledger.operators import list_operators
from ledger.sessions import password_of
from models.operators import Role
from sandbox.ports import free_port
from tests.dashboard.pages import read
from tests.dashboard.people import PASSWORD

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address(database):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "nexara", "dashboard"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DASHBOARD_DATABASE_URL": database.dashboard_url,
            "DASHBOARD_PASSWORD": PASSWORD,
            "DASHBOARD_PORT": str(port),
            "ENVIRONMENT": "test",
        },
    )
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    process.wait(15)


def opened(address: str) -> httpx.Client:
    """Return a browser for a dashboard that answers."""
    browser = httpx.Client(base_url=address, headers={"origin": address}, timeout=10)
    until = time.monotonic() + 30
    while True:
        try:
            assert browser.get("/healthz").text == "ok\n"
        except httpx.TransportError:
            assert time.monotonic() < until, "the dashboard did not start"
            time.sleep(0.1)
        else:
            return browser


def test_it_serves_its_pages_to_who_signs_in_and_says_nothing_of_itself(address):
    with closing(opened(address)) as browser:
        closed = browser.get("/")
        assert (closed.status_code, closed.headers["location"]) == (303, "/sign-in")
        assert "server" not in closed.headers
        forged = browser.get("/", headers={"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"})
        assert "strict-transport-security" not in forged.headers
        form = read(browser.get("/sign-in")).form("/sign-in")
        answer = browser.post("/sign-in", data={**form.fields, "name": "oncall", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = browser.get("/").text
        assert "No worker is alive" in page
        assert "Nexara test" in page
        assert "admin" in browser.get("/me").text


def start(database, **settings) -> subprocess.CompletedProcess[str]:
    """Start a dashboard that must not."""
    return subprocess.run(
        [sys.executable, "-m", "nexara", "dashboard"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DASHBOARD_DATABASE_URL": database.dashboard_url, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "Nobody could sign in: set DASHBOARD_PASSWORD"),
        ({"DASHBOARD_PASSWORD": "short"}, "12 characters at least"),
        ({"DASHBOARD_PASSWORD": PASSWORD, "DASHBOARD_USER": "two words"}, "a name is letters"),
        ({"DASHBOARD_OIDC_ISSUER": "https://id.test"}, "DASHBOARD_OIDC_CLIENT_ID is needed"),
    ],
)
def test_it_does_not_start_where_nobody_could_sign_in(database, settings, said):
    done = start(database, **settings)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_password_of_the_settings_makes_the_first_admin_and_nobody_after(database, engine):
    assert first_admin(engine, "oncall", PASSWORD)
    with engine.begin() as db:
        stored = password_of(db, "oncall").stored
    assert first_admin(engine, "another", "another horse in the sun")
    assert first_admin(engine, "oncall", "")
    with engine.begin() as db:
        assert [(one.name, one.role) for one in list_operators(db)] == [("oncall", Role.ADMIN)]
        assert password_of(db, "oncall").stored == stored


def test_the_secret_is_of_the_databases_password_and_of_nothing_that_is_public():
    one = signing_secret("postgresql+psycopg://nexara_dashboard:tell-nobody@db.test/nexara")
    assert one == signing_secret("postgresql+psycopg://nexara_dashboard:tell-nobody@other.test/nexara")
    assert one != signing_secret("postgresql+psycopg://nexara_dashboard:another@db.test/nexara")
    assert signing_secret("postgresql+psycopg://x@db.test/y") != signing_secret("postgresql+psycopg://x@db.test/y")
