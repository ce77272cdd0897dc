"""`nexara keys`: made and shown once, listed without their secrets, rotated with grace, revoked at once."""

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from ledger.keys import read_key
from tests.cli.conftest import Run
from tests.ledger.conftest import Ledger


def made(told: str) -> str:
    """Return the key that a command printed."""
    (written,) = told.splitlines()
    assert written.startswith("nxk_")
    return written


def standing(ledger: Ledger, written: str) -> str | None:
    key = read_key(written)
    assert key
    with ledger.admin.begin() as db:
        row = db.execute(text("SELECT standing FROM ledger.api_key_v1(:id, :digest)"), key.values).one_or_none()
    return row.standing if row else None


@pytest.fixture
def key(ledger: Ledger, desk: Run) -> str:
    return made(desk("keys", "create", str(ledger.business), "--name", "shop", "--scope", "jobs:write").stdout)


def id_of(written: str) -> str:
    return str(UUID(written[4:36]))


def test_a_key_is_shown_once_and_only_its_digest_is_kept(ledger: Ledger, desk: Run, key: str) -> None:
    assert standing(ledger, key) == "living"
    listed = desk("keys", "list", str(ledger.business), "--json").stdout
    (row,) = map(json.loads, listed.splitlines())
    assert (row["id"], row["business_id"], row["name"]) == (id_of(key), str(ledger.business), "shop")
    assert row["scopes"] == ["jobs:write"]
    assert "digest" not in row
    kept = ledger.sql("SELECT k::text FROM ledger.api_keys k")
    assert key[37:] not in kept
    assert key[37:] not in listed


def test_keys_are_listed_by_business(ledger: Ledger, desk: Run, key: str) -> None:
    told = desk("keys", "list").stdout
    assert told.split()[:5] == [id_of(key), str(ledger.business), "shop", "jobs:write", "living"]
    assert "never used" in told
    assert desk("keys", "list", str(ledger.other)).stdout == "No such key.\n"


def test_a_rotated_key_lives_on_for_its_grace_beside_the_new_one(ledger: Ledger, desk: Run, key: str) -> None:
    new = made(desk("keys", "rotate", id_of(key)).stdout)
    assert new[37:] != key[37:]
    assert (standing(ledger, key), standing(ledger, new)) == ("living", "living")
    left = ledger.sql("SELECT expires_at - now() FROM ledger.api_keys WHERE id = :id", id=id_of(key))
    assert 3500 < left.total_seconds() <= 3600
    ledger.sql("UPDATE ledger.api_keys SET expires_at = now() WHERE id = :id", id=id_of(key))
    assert (standing(ledger, key), standing(ledger, new)) == ("expired", "living")
    rows = [json.loads(line) for line in desk("keys", "list", "--json").stdout.splitlines()]
    assert {(row["name"], *row["scopes"], row["business_id"]) for row in rows} == {
        ("shop", "jobs:write", str(ledger.business))
    }
    assert "expired" in desk("keys", "list").stdout
    assert desk("keys", "rotate", id_of(key)).exit_code == 2


def test_a_rotation_without_grace_ends_the_old_key_at_once(ledger: Ledger, desk: Run, key: str) -> None:
    new = made(desk("keys", "rotate", id_of(key), "--grace", "0").stdout)
    assert (standing(ledger, key), standing(ledger, new)) == ("expired", "living")


def test_a_rotation_lengthens_no_life(ledger: Ledger, desk: Run, key: str) -> None:
    ledger.sql("UPDATE ledger.api_keys SET expires_at = now() + interval '5 minutes'")
    desk("keys", "rotate", id_of(key))
    left = ledger.sql("SELECT expires_at - now() FROM ledger.api_keys WHERE id = :id", id=id_of(key))
    assert left.total_seconds() <= 300


def test_a_revoked_key_opens_nothing_and_stays_revoked(ledger: Ledger, desk: Run, key: str) -> None:
    assert desk("keys", "revoke", id_of(key)).stdout == f"key {id_of(key)} is revoked\n"
    assert standing(ledger, key) == "revoked"
    when = ledger.sql("SELECT revoked_at FROM ledger.api_keys")
    assert desk("keys", "revoke", id_of(key)).exit_code == 0
    assert ledger.sql("SELECT revoked_at FROM ledger.api_keys") == when
    assert desk("keys", "rotate", id_of(key)).exit_code == 2
    assert "revoked" in desk("keys", "list").stdout


def test_a_key_may_be_made_for_some_days(ledger: Ledger, desk: Run) -> None:
    both = ("--scope", "jobs:read", "--scope", "jobs:write", "--scope", "jobs:read", "--days", "7")
    made(desk("keys", "create", str(ledger.business), "--name", "report", *both).stdout)
    assert ledger.sql("SELECT scopes FROM ledger.api_keys") == ["jobs:read", "jobs:write"]
    days = ledger.sql("SELECT extract(epoch FROM expires_at - now()) / 86400 FROM ledger.api_keys")
    assert 6.9 < days < 7.1


@pytest.mark.parametrize(
    "command",
    [
        ("create", "no-id", "--name", "shop", "--scope", "jobs:write"),
        ("create", str(uuid4()), "--name", "two words", "--scope", "jobs:write"),
        ("create", str(uuid4()), "--name", "shop", "--scope", "jobs:all"),
        ("create", str(uuid4()), "--name", "shop"),
        ("create", str(UUID(int=0)), "--name", "shop", "--scope", "jobs:write"),
        ("rotate", str(uuid4())),
        ("revoke", str(uuid4())),
    ],
)
def test_what_is_wrong_is_said_and_makes_no_key(ledger: Ledger, desk: Run, command: tuple[str, ...]) -> None:
    told = desk("keys", *command)
    assert told.exit_code == 2
    assert told.stderr
    assert "Traceback" not in told.output
    assert ledger.sql("SELECT count(*) FROM ledger.api_keys") == 0


def test_neither_the_web_tier_nor_a_worker_makes_a_key_or_uses_one(ledger: Ledger) -> None:
    for engine in (ledger.web, ledger.worker):
        for call in ("list_api_keys_v1(NULL)", "api_key_v1(gen_random_uuid(), '')", "revoke_api_key_v1(NULL)"):
            with engine.connect() as db, pytest.raises(Exception, match="permission denied"):
                db.execute(text(f"SELECT ledger.{call}"))


def test_a_key_of_a_business_that_is_not_there_is_made_for_nobody(ledger: Ledger, desk: Run) -> None:
    stranger = str(uuid4())
    told = desk("keys", "create", stranger, "--name", "shop", "--scope", "jobs:write")
    assert told.exit_code == 2
    assert f"there is no business {stranger}" in told.stderr
    assert ledger.sql("SELECT count(*) FROM ledger.api_keys") == 0


def test_a_key_has_the_pace_that_it_was_given_and_hands_it_on(ledger: Ledger, desk: Run) -> None:
    create = ("keys", "create", str(ledger.business), "--name", "shop", "--scope", "jobs:write")
    key = made(desk(*create, "--per-minute", "90").stdout)
    new = made(desk("keys", "rotate", id_of(key)).stdout)
    rows = [json.loads(line) for line in desk("keys", "list", "--json").stdout.splitlines()]
    assert {row["id"]: row["per_minute"] for row in rows} == {id_of(key): 90, id_of(new): 90}
