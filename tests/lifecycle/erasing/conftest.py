"""A world to erase in."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.lifecycle.erasing.world import World


@pytest.fixture
def world(database: Any) -> Iterator[World]:
    admin = create_engine(database.admin_url)
    live = create_engine(database.admin_url, execution_options={"schema_translate_map": {"nexara": "live"}})
    yield World(admin, live).found()
    admin.dispose()
    live.dispose()
