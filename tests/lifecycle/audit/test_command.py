"""`nexara privacy audit` over a whole engine: clean, found or unknown; and no word of whom it looked for."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import text

from providers.stored import Account
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY
from sandbox.vendors import resend
from sandbox.vendors.holders import APPS
from sandbox.vendors.running import running
from settings import Settings
from tests.lifecycle.audit.conftest import NUMBER
from workers.audit_command import audit
from workers.wiring import NotConfigured

NAME = "Wilhelmina Quill"
LOOKED_FOR = f"phone {NUMBER}\nname {NAME}\nref twilio/call CA00000000000000000000000000000077\n"
SECRETS = ("447700900488", "7700900488", "Wilhelmina", "Quill", "CA00000000000000000000000000000077")
Audit = Callable[..., Result]


@pytest.fixture
def settings(database: Any, redis_url: str, storage: Any, versioned: str) -> Settings:
    return Settings(
        database_admin_url=database.admin_url,
        redis_url=redis_url,
        s3_endpoint_url=storage.url,
        s3_region=REGION,
        s3_access_key_id=ACCESS_KEY,
        s3_secret_access_key=SECRET_KEY,
        s3_bucket=versioned,
    )


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Audit:
    (tmp_path / "engine.log").write_text("job.done kind=usage.meter\n")
    (tmp_path / "event").write_text('{"event_id":"1"}\n')

    def running(*more: str, looked_for: str = LOOKED_FOR, **changed: str) -> Result:
        told = ["--needles", "-", "--log", str(tmp_path / "engine.log"), "--envelopes", str(tmp_path / "event"), *more]
        return CliRunner().invoke(audit, told, obj=settings.model_copy(update=changed), input=looked_for)

    return running


def test_where_nothing_is_left_it_says_so(run: Audit) -> None:
    told = run("--without", "vendors")
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[-2:] == [
        "left out: vendors",
        f"clean: {told.stdout.split('clean: ')[-1].split(' spellings')[0]} spellings of 3 things were looked for",
    ]


def test_what_is_left_is_told_by_its_place_and_nobody_is_named(
    run: Audit, engine: Any, client: Any, tmp_path: Path
) -> None:
    with engine.begin() as db:
        db.execute(text(f"CREATE TABLE public.notes AS SELECT 'call {NAME} on 07700 900 488' AS note"))
    client.rpush("nexara:speech:1", f"limit:{NUMBER}")
    (tmp_path / "engine.log").write_text(f"somebody logged {NUMBER}")
    told = run("--without", "vendors", "--json")
    assert told.exit_code == 1
    report = json.loads(told.stdout)
    verdicts = {each["probe"]: each["verdict"] for each in report["probes"]}
    assert verdicts == {
        "tables": "found",
        "statistics": "clean",
        "redis": "found",
        "objects": "clean",
        "logs": "found",
        "sentry": "clean",
    }
    (tables,) = (each for each in report["probes"] if each["probe"] == "tables")
    assert {hit["place"] for hit in tables["hits"]} == {"public.notes.note"}
    kinds = {report["needles"][hit["needle"]]["of"] for hit in tables["hits"]}
    assert kinds == {0, 1}
    plain = run("--without", "vendors")
    for output in (told.output, told.stderr, plain.output):
        for secret in SECRETS:
            assert secret not in output


def test_a_name_in_the_bucket_or_in_redis_that_nobody_classified_blocks(
    run: Audit, settings: Settings, client: Any, storage: Any
) -> None:
    account = Account(endpoint=storage.url, region=REGION, keys=(ACCESS_KEY, SECRET_KEY), bucket=settings.s3_bucket)
    one = "0b0e0000-0000-4000-8000-000000000001"
    for key in (f"{one}/recordings/{one}.wav", f"journal/{one}/{one}.json"):
        account._client.put_object(Bucket=settings.s3_bucket, Key=key, Body=b"x")
    client.rpush("nexara:speech:1", "1:1")
    assert run("--without", "vendors").exit_code == 0
    account._client.put_object(Bucket=settings.s3_bucket, Key=f"notes/{one}.json", Body=b"x")
    client.set("nexara:seen", "1")
    told = run("--without", "vendors")
    account.close()
    assert told.exit_code == 3, told.stdout
    for place in (f"version {settings.s3_bucket}/notes/{one}.json", "database 0 nexara:seen"):
        assert place.split()[-1] in told.stdout
    assert told.stdout.count("under a name of which the data map says nothing") == 2


def test_a_vendor_that_cannot_be_asked_proves_nothing(run: Audit) -> None:
    told = run()
    assert told.exit_code == 3, told.stdout
    assert "not read: twilio call: Misconfigured" in told.stdout


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("google/event abcdef123", "an event is read with the access that a member gave"),
        ("meta/message wamid.77", "no call reads a message"),
        ("telnyx/message m-123456", "no call says whether it is deleted"),
        ("anthropic/message msg_0123", "the contract holds it"),
        ("nobody/thing its-9f3c7a52d1", "no such vendor can be asked"),
    ],
)
def test_what_no_vendor_can_be_asked_for_is_unknown_and_says_why(run: Audit, named: str, why: str) -> None:
    told = run(looked_for=f"ref {named}\n")
    assert told.exit_code == 3, told.stdout
    assert why in told.stdout


def test_vendors_are_asked_whether_they_have_an_address_a_user_or_a_subscription(run: Audit) -> None:
    address, user = "canary.77@example.com", "0b0e0000-0000-4000-8000-000000000077"
    with ExitStack() as serving:
        urls = {"resend": serving.enter_context(resend.start())}
        urls |= {name: serving.enter_context(running(APPS[name]())) for name in ("supabase", "lemon_squeezy")}
        keys = {
            "resend_api_key": SecretStr("sandbox-resend"),
            "mail_from": "Nexara <a@nexara.example.com>",
            "supabase_secret_key": SecretStr("sandbox-supabase"),
            "lemon_squeezy_api_key": SecretStr("sandbox-lemon-squeezy"),
        }
        asked = keys | {f"{name}_base_url": url for name, url in urls.items()}
        looked_for = f"email {address}\nref supabase/user {user}\nref lemon_squeezy/subscription 987650123412\n"
        assert run(looked_for=looked_for, **asked).exit_code == 0
        with httpx.Client(trust_env=False) as client:
            client.post(f"{urls['resend']}/_sandbox/held", json={"things": {"contacts": {"c1": {"email": address}}}})
            client.post(f"{urls['supabase']}/_sandbox/held", json={"things": {"users": {user: {}}}})
        told = run(looked_for=looked_for, **asked)
        assert told.exit_code == 1, told.stdout
        assert "resend contact: email" in told.stdout
        assert "supabase user: ref" in told.stdout
        assert address not in told.stdout


@pytest.mark.parametrize(
    ("missing", "probe"),
    [
        ({"redis_url": ""}, "redis"),
        ({"s3_access_key_id": ""}, "objects"),
        ({"redis_url": "redis://127.0.0.1:1/0"}, "redis"),
    ],
)
def test_what_is_not_set_up_proves_nothing(run: Audit, missing: dict[str, str], probe: str) -> None:
    told = run("--without", "vendors", "--json", **missing)
    assert told.exit_code == 3, told.stdout
    (unread,) = (each for each in json.loads(told.stdout)["probes"] if each["verdict"] == "unknown")
    assert unread["probe"] == probe


def test_our_own_digests_of_a_number_are_looked_for_and_kept_where_the_map_keeps_them(run: Audit, engine: Any) -> None:
    with engine.begin() as db:
        db.execute(text("INSERT INTO nexara.businesses (id, name, country) VALUES (gen_random_uuid(), 'x', 'IE')"))
        db.execute(text("UPDATE nexara.salts SET secret = repeat('ab', 32)"))
        digest = f"nexara.digest_of(id, '{NUMBER}')"
        db.execute(
            text(
                "INSERT INTO nexara.tombstones (business_id, digest, sort, event_before) "
                f"SELECT id, {digest}, 'identifier', now() FROM nexara.businesses"
            )
        )
    told = run("--without", "vendors")
    assert told.exit_code == 0, told.stdout
    with engine.begin() as db:
        db.execute(text(f"CREATE TABLE public.copied AS SELECT {digest} AS d FROM nexara.businesses"))
    told = run("--without", "vendors")
    assert told.exit_code == 1
    assert "public.copied.d: phone 1 as keyed_digest, 1 times" in told.stdout


@pytest.mark.parametrize(("lines", "said"), [("", "there is nothing to look for"), ("0770\n", "line 1 is none of")])
def test_what_cannot_be_looked_for_is_refused(run: Audit, lines: str, said: str) -> None:
    told = run(looked_for=lines)
    assert isinstance(told.exception, NotConfigured)
    assert said in str(told.exception)
