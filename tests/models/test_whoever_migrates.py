"""Whoever migrates need not be a superuser: on Supabase nobody is."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from migrations.apply import migrate
from models.guards import apply
from sandbox.postgres import Postgres
from tests.models.test_catalog import unmapped


@pytest.fixture
def plain_url(folder: Path, postgres: Postgres):
    # Roles belong to the whole server, and this one must make them itself: a server of its own.
    server = Postgres(folder / "plain", binaries=postgres.binaries)
    server.start()
    engine = create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.execute(text("CREATE ROLE plain LOGIN NOSUPERUSER CREATEROLE CREATEDB BYPASSRLS PASSWORD 'plain'"))
        db.execute(text("CREATE DATABASE plain OWNER plain"))
    engine.dispose()
    yield server.url("plain", "plain", "plain")
    server.stop("immediate")


def test_an_administrator_who_is_no_superuser_migrates_twice(plain_url):
    migrate(plain_url, {"nexara_web": "secret"})
    migrate(plain_url)
    engine = create_engine(plain_url)
    with engine.connect() as db:
        assert apply(db) == []
        assert unmapped(db) == []
    engine.dispose()
