"""A migrated database, and two businesses whose web tier asks before it writes."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from tests.lifecycle.desk import Desk


@pytest.fixture
def admin(database: Any) -> Iterator[Engine]:
    engine = create_engine(database.admin_url)
    yield engine
    engine.dispose()


@pytest.fixture
def web(database: Any) -> Iterator[Engine]:
    engine = create_engine(database.web_url)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(admin: Engine, web: Engine) -> Desk:
    return Desk(admin, web).open()


@pytest.fixture
def other(admin: Engine, web: Engine) -> Desk:
    return Desk(admin, web).open()
