"""Debian's Chromium, one for each pytest process, and the dashboard that it opens: the real app, served over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import pytest
from playwright.sync_api import Browser
from sqlalchemy import create_engine
from starlette.applications import Starlette

from dashboard.app import create_app
from docs.chromium import MISSING, browsing, find, served
from docs.demo_ledger import act_by_hand, beat, fill
from docs.demo_pages import addresses
from models.operators import Role
from tests.browser import surfing
from tests.browser.surfing import Person
from tests.dashboard.conftest import app, engine, jobs
from tests.ledger.conftest import ledger
from tests.workers.running import dispatching, start, told

__all__ = ["app", "dispatching", "engine", "jobs", "ledger", "start", "told"]
Come = Callable[..., Person]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return the browser of this process, or skip and say why there is none."""
    found = find()
    if found is None:
        pytest.skip(MISSING)
    with browsing(found) as browser:
        yield browser


@pytest.fixture
def here(app: Starlette) -> Iterator[str]:
    """Return the address of the dashboard."""
    with served(app) as address:
        yield address


@pytest.fixture
def come(chromium: Browser, app: Starlette, here: str) -> Iterator[Come]:
    """Return what lends the browser of a new operator until the test ends."""
    with ExitStack() as left:

        def coming(name: str = "kim", role: Role = Role.ADMIN, **more: object) -> Person:
            return left.enter_context(surfing.signed_in(chromium, app, here, name, role, **more))

        yield coming


@pytest.fixture
def stranger(chromium: Browser, here: str) -> Iterator[Person]:
    """Return a browser in which nobody is signed in."""
    with surfing.somebody(chromium, here) as person:
        yield person


@pytest.fixture(scope="session")
def everything(
    databases: Callable[[], AbstractContextManager], chromium: Browser
) -> Iterator[tuple[Starlette, str, dict[str, str]]]:
    """Return a dashboard whose every page has something to show, its address, and the addresses of the pages."""
    with ExitStack() as left:
        database = left.enter_context(databases())
        admin, looking = create_engine(database.admin_url), create_engine(database.dashboard_url)
        left.callback(admin.dispose)
        left.callback(looking.dispose)
        fill(admin)
        act_by_hand(admin, looking)
        beat(admin)
        with admin.connect() as db:
            pages = addresses(db)
        app = create_app(looking, environment="staging", secret=b"s" * 32)
        yield app, left.enter_context(served(app)), pages


@pytest.fixture
def visiting(
    chromium: Browser, everything: tuple[Starlette, str, dict[str, str]], request: pytest.FixtureRequest
) -> Callable[..., AbstractContextManager[Person]]:
    """Return what lends an admin's browser, of that dashboard; they have a name as long as that of the test."""
    app, address, _ = everything
    return partial(surfing.signed_in, chromium, app, address, request.node.name)


@pytest.fixture
def pages(everything: tuple[Starlette, str, dict[str, str]]) -> dict[str, str]:
    """Return the addresses of all pages of that dashboard."""
    return everything[2]
