"""`nexara doctor`: 0 where all is well; else each broken thing by its name, with how to mend it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from click.testing import Result
from sqlalchemy import create_engine, make_url, text

from sandbox.ports import LOOPBACK
from sandbox.vendors import anthropic, deepgram, resend
from tests.cli.conftest import KEYS, NOWHERE, SECRET, Run, process
from tests.conftest import Bucket, Database
from tests.ledger.conftest import Ledger


@pytest.fixture(scope="module")
def vendors() -> Iterator[dict[str, str]]:
    with deepgram.start(canned={}) as heard, anthropic.start() as read, resend.start() as sent:
        yield {"deepgram_base_url": heard, "anthropic_base_url": read, "resend_base_url": sent}


@pytest.fixture
def well(database: Database, redis_url: str, bucket: Bucket, vendors: dict[str, str]) -> dict[str, str]:
    """Settings of an engine of which everything is well."""
    with psycopg.connect(database.admin_url.replace("+psycopg", "")) as connection:  # a worker that beats on
        connection.execute("INSERT INTO ledger.workers VALUES (%s, 8, '{}', now(), now() + interval '1 h')", (uuid4(),))
    return {
        "database_url": database.worker_url,
        "dashboard_database_url": database.dashboard_url,
        "redis_url": redis_url,
        "s3_endpoint_url": bucket.endpoint_url,
        "s3_region": bucket.region,
        "s3_bucket": bucket.name,
        **KEYS,
        "s3_access_key_id": bucket.access_key,
        "s3_secret_access_key": bucket.secret_key,
        **vendors,
    }


def findings(told: Result) -> dict[str, dict[str, Any]]:
    return {each["what"]: each for each in map(json.loads, told.stdout.splitlines())}


def test_a_doctor_who_finds_everything_well_says_of_what_and_ends_with_0(run: Run, well: dict[str, str]) -> None:
    told = run("doctor", **well)
    assert told.exit_code == 0, told.stdout
    assert "BAD" not in told.stdout
    assert all(line.startswith("ok  ") for line in told.stdout.splitlines())
    found = findings(run("doctor", "--json", **well))
    assert {"PostgreSQL", "role of the worker", "Redis", "objects", "deepgram", "anthropic", "resend"} <= found.keys()
    assert all(each["well"] for each in found.values())


UNUSED = {
    "twilio": "TWILIO_ACCOUNT_SID",
    "telnyx": "TELNYX_API_KEY",
    "vapi": "VAPI_API_KEY",
    "elevenlabs": "ELEVENLABS_API_KEY",
    "meta": "META_ACCESS_TOKEN",
    "dialog360": "DIALOG360_API_KEY",
    "google": "GOOGLE_CLIENT_ID",
    "supabase": "SUPABASE_SECRET_KEY",
    "lemon_squeezy": "LEMON_SQUEEZY_API_KEY",
}


def test_a_doctor_without_settings_names_what_is_missing(run: Run) -> None:
    told = run("doctor", "--json")
    assert told.exit_code == 1
    bad = {what: each for what, each in findings(told).items() if not each["well"]}
    assert {"DATABASE_URL", "DASHBOARD_DATABASE_URL", "REDIS_URL", "objects", "deepgram", "anthropic", "resend"} == set(
        bad
    )
    assert all("not set" in each["found"] and each["mend"] for each in bad.values())
    for what, setting in UNUSED.items():
        unused = findings(told)[what]
        assert unused["well"]
        assert unused["found"] == f"{setting} is not set: this vendor is not used"


BROKEN: list[tuple[dict[str, str], str, str, str]] = [
    ({"redis_url": f"redis://:{SECRET}@{LOOPBACK}:1"}, "REDIS_URL", "no server listens there", "REDIS_URL"),
    ({"redis_url": SECRET}, "REDIS_URL", "it is not written as redis://", "REDIS_URL"),
    ({"database_url": NOWHERE}, "DATABASE_URL", "no server listens there", "DATABASE_URL"),
    ({"database_url": SECRET}, "DATABASE_URL", "it is not written as postgresql://", "DATABASE_URL"),
    ({"dashboard_database_url": NOWHERE}, "DASHBOARD_DATABASE_URL", "no server listens there", "the server runs"),
    ({"deepgram_api_key": SECRET}, "deepgram", "", "DEEPGRAM_API_KEY"),
    ({"anthropic_api_key": SECRET}, "anthropic", "", "ANTHROPIC_API_KEY"),
    ({"resend_api_key": SECRET}, "resend", "", "RESEND_API_KEY"),
    ({"s3_bucket": "another"}, "objects", "", "S3_BUCKET"),
    ({"deepgram_base_url": f"http://{LOOPBACK}:1"}, "deepgram", "", "again"),
    ({"anthropic_base_url": f"http://{LOOPBACK}:1"}, "anthropic", "", "again"),
    ({"resend_base_url": f"http://{LOOPBACK}:1"}, "resend", "", "again"),
    ({"s3_endpoint_url": f"http://{LOOPBACK}:1"}, "objects", "", "again"),
    ({"twilio_account_sid": "AC1"}, "twilio", "TWILIO_API_KEY is not set", "TWILIO_API_KEY"),
    ({"telnyx_api_key": SECRET, "telnyx_base_url": f"http://{LOOPBACK}:1"}, "telnyx", "", "again"),
    ({"vapi_api_key": SECRET, "vapi_base_url": "api.vapi.ai"}, "vapi", "VAPI_BASE_URL is not", "VAPI_BASE_URL"),
    ({"google_client_id": "nexara"}, "google", "GOOGLE_CLIENT_SECRET is not set", "GOOGLE_CLIENT_SECRET"),
    ({"supabase_secret_key": SECRET}, "supabase", "SUPABASE_BASE_URL is not", "SUPABASE_BASE_URL"),
    ({"s3_endpoint_url": "store"}, "objects", "S3_ENDPOINT_URL is not an http(s) address", "S3_ENDPOINT_URL"),
]
"""What is set otherwise, which finding is bad then, what it says, and what the way to mend it names."""


def test_a_doctor_finds_what_is_broken_says_how_to_mend_it_and_ends_with_1(run: Run, well: dict[str, str]) -> None:
    for broken, what, found, mend in BROKEN:
        told = run("doctor", "--json", **{**well, **broken})
        bad = [each for each in findings(told).values() if not each["well"]]
        assert (told.exit_code, [each["what"] for each in bad]) == (1, [what]), broken
        assert bad[0]["found"].startswith(found), broken
        assert mend in bad[0]["mend"], broken
        assert SECRET not in told.output


def test_a_doctor_finds_a_redis_that_may_forget_ids(run: Run, well: dict[str, str], redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            told = run("doctor", "--json", **well)
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert told.exit_code == 1
    (finding,) = [each for each in findings(told).values() if not each["well"]]
    assert "allkeys-lru" in finding["found"]
    assert "noeviction" in finding["mend"]


def test_a_doctor_finds_what_the_data_map_does_not_know(run: Run, well: dict[str, str], database: Database) -> None:
    engine = create_engine(database.admin_url)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE public.notes (phone text)"))
    engine.dispose()
    told = run("doctor", "--json", **well)
    assert told.exit_code == 1
    (finding,) = [each for each in findings(told).values() if not each["well"]]
    assert finding["found"] == "table public.notes is not in the data map"
    assert "models/" in finding["mend"]


def test_a_doctor_finds_a_worker_that_passes_by_the_walls(run: Run, well: dict[str, str], database: Database) -> None:
    for url in (database.admin_url, database.dashboard_url):
        told = run("doctor", "--json", **{**well, "database_url": url})
        assert told.exit_code == 1
        role = findings(told)["role of the worker"]
        assert not role["well"]
        assert "nexara_worker" in role["mend"]


def test_a_doctor_finds_a_database_that_nobody_migrated(
    run: Run, well: dict[str, str], empty_database: str, role_passwords: dict[str, str]
) -> None:
    def there(role: str) -> str:
        url = make_url(empty_database).set(username=role, password=role_passwords[role])
        return url.render_as_string(hide_password=False)

    unmigrated = {"database_url": there("nexara_worker"), "dashboard_database_url": there("nexara_dashboard")}
    told = run("doctor", "--json", **{**well, **unmigrated})
    assert told.exit_code == 1
    bad = {what: each for what, each in findings(told).items() if not each["well"]}
    assert bad["kinds of jobs"]["mend"] == "run `nexara migrate`"
    assert "nexara migrate" in bad["DASHBOARD_DATABASE_URL"]["found"]
    started = process("worker", **{**well, **unmigrated})
    assert started.returncode == 2
    assert started.stderr == ("nexara: DATABASE_URL: the database is not at this release: run `nexara migrate`\n")


def test_a_doctor_finds_that_nobody_works_and_what_needs_somebody(
    run: Run, well: dict[str, str], ledger: Ledger, dead: int
) -> None:
    ledger.sql("DELETE FROM ledger.workers")
    told = run("doctor", **well)
    assert told.exit_code == 1
    assert "BAD  workers" in told.stdout
    assert "1 dead, 0 parked" in told.stdout
    assert "→ start `nexara worker`" in told.stdout
