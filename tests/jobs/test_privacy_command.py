"""`nexara privacy`: what the privacy officer does, from what somebody is reached by to the proof."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nexara import main
from settings import Settings
from tests.jobs.spoken import BOOKING
from tests.jobs.test_erasures import go_on

TYPED = "+44 (0)7700 900-123"


@pytest.fixture
def privacy(database, values, monkeypatch) -> Callable[..., Result]:
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv((field.alias or name).upper(), raising=False)
    bucket = {
        "S3_ENDPOINT_URL": values.s3_endpoint,
        "S3_REGION": values.s3_region,
        "S3_ACCESS_KEY_ID": values.s3_access_key,
        "S3_SECRET_ACCESS_KEY": values.s3_secret_key,
        "S3_BUCKET": values.s3_bucket,
        "S3_ENCRYPTION": "",
    }
    env = {"DASHBOARD_DATABASE_URL": database.dashboard_url, **bucket}
    return lambda *command: CliRunner().invoke(main, ["privacy", *map(str, command)], env=env)


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    file = tmp_path / "whom"
    file.write_text(f"{TYPED}\n\n")
    return file


def test_from_a_number_to_the_proof(house, shop, remaining, privacy, typed):
    told = shop.call(BOOKING.audio)
    house.drain()
    asked = privacy("erase", shop.business, "--scope", "person", "--identifiers", typed, "--json", "--who", "kim")
    erasure = json.loads(asked.stdout)["erasure"]
    house.drain()
    plan = privacy("plan", shop.business, erasure)
    assert f"include  people {told.person}" in plan.stdout
    assert "goes     1 of conversations" in plan.stdout
    assert "900" not in plan.stdout.replace(str(told.person), "").replace(str(erasure), "")
    assert privacy("confirm", shop.business, erasure, "--yes", "--who", "kim").exit_code == 0
    assert go_on(house, remaining, erasure) == "completed"
    shown = privacy("show", shop.business, erasure).stdout
    assert "completed" in shown
    assert "gone      1 of people" in shown
    assert "confirmed 1 recording at objects" in shown
    assert "1 receipts, and the chain holds" in privacy("receipts", shop.business).stdout
    actions = [row.action for row in house.rows("SELECT action FROM ledger.audit ORDER BY id")]
    assert actions == ["privacy.erase", "privacy.confirm"]
    assert "900" not in str(house.rows("SELECT about, before, after FROM ledger.audit")).replace(str(shop.business), "")


def test_what_is_confirmed_is_not_called_back_and_what_is_not_is_told(house, shop, remaining, privacy, typed):
    shop.call(BOOKING.audio)
    house.drain()
    asked = privacy("erase", shop.business, "--scope", "person", "--identifiers", typed, "--json")
    erasure = json.loads(asked.stdout)["erasure"]
    early = privacy("confirm", shop.business, erasure, "--yes")
    assert early.exit_code == 2
    assert "still being found out" in early.output
    house.drain()
    privacy("confirm", shop.business, erasure, "--yes")
    late = privacy("withdraw", shop.business, erasure)
    assert late.exit_code == 2
    assert "confirmed already" in late.output
    assert privacy("plan", shop.business, shop.business).exit_code == 2


def test_the_journal_is_read_from_the_bucket_and_each_erasure_repeated(house, shop, remaining, privacy):
    told = shop.call(BOOKING.audio)
    house.drain()
    asked = privacy("erase", shop.business, "--scope", "person", "--id", told.person, "--json")
    erasure = json.loads(asked.stdout)["erasure"]
    house.drain()
    privacy("confirm", shop.business, erasure, "--yes")
    go_on(house, remaining, erasure)
    dry = privacy("replay", "--dry-run").stdout
    assert str(erasure) in dry
    assert house.jobs("privacy.replay") == []
    assert str(erasure) in privacy("replay", "--since", "2020-01-01").stdout
    assert [job.payload for job in house.jobs("privacy.replay") if job.business_id == shop.business] == [
        {"erasure_id": str(erasure)}
    ]
    assert go_on(house, remaining, erasure) == "completed"


def test_a_copy_that_somebody_saw_to_is_read_back(house, shop, remaining, privacy):
    told = shop.call(BOOKING.audio)
    house.drain()
    house.sql("UPDATE nexara.calls SET twilio_ref = 'no id of theirs' WHERE id = :id", id=told.call)
    asked = privacy("erase", shop.business, "--scope", "person", "--id", told.person, "--json")
    erasure = json.loads(asked.stdout)["erasure"]
    house.drain()
    privacy("confirm", shop.business, erasure, "--yes")
    assert go_on(house, remaining, erasure, looks=2) == "pending"
    assert "manual    1 call at twilio (twilio_ref_malformed)" in privacy("show", shop.business, erasure).stdout
    house.sql("UPDATE nexara.remains SET ref = 'CA1' WHERE store = 'twilio'")
    assert privacy("ask-again", shop.business, erasure).exit_code == 0
    assert go_on(house, remaining, erasure) == "completed"
    assert "no copy of this erasure waits" in privacy("ask-again", shop.business, erasure).output


def test_a_text_that_names_them_as_before_was_not_redacted_whoever_says_so(house, shop, remaining, privacy):
    told = shop.call(BOOKING.audio)
    house.drain()
    write = (
        "INSERT INTO nexara.knowledge (business_id, chapter, title, body) VALUES"
        " (:b, 'service', 'Ring 07700 900 123', 'Anna, +44 7700 900123, has a key.') RETURNING id"
    )
    entry = house.sql(write, b=shop.business)
    asked = privacy("erase", shop.business, "--scope", "person", "--id", told.person, "--json")
    erasure = json.loads(asked.stdout)["erasure"]
    house.drain()
    privacy("confirm", shop.business, erasure, "--yes")
    assert go_on(house, remaining, erasure, looks=2) == "pending"
    shown = json.loads(privacy("show", shop.business, erasure, "--json").stdout)
    texts = {each["field"]: each["id"] for each in shown["reviews"]}
    assert texts.keys() == {"title", "body"}
    refused = privacy("review", shop.business, texts["body"], "redacted")
    assert refused.exit_code == 2
    assert "names them as before" in refused.output
    assert "900" not in refused.output
    house.sql("UPDATE nexara.knowledge SET body = 'Somebody has a key.' WHERE id = :id", id=entry)
    assert privacy("review", shop.business, texts["body"], "redacted").exit_code == 0
    assert privacy("review", shop.business, texts["title"], "redacted").exit_code == 2  # its own words count
    assert privacy("review", shop.business, texts["title"], "cleared").exit_code == 0
    assert "no such text" in privacy("review", shop.business, texts["title"], "cleared").output
    assert go_on(house, remaining, erasure) == "completed"
