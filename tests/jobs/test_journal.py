"""The journal of erasures lives as long as the longest-lived backup from before them, and a week; and no longer."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from jobs.privacy.payloads import PruneJournal, ReplayErasure
from jobs.retention.payloads import SweepRetention
from ledger import clock
from lifecycle.deadlines import Deadlines
from lifecycle.journal import PREFIX, Entry, key_of
from migrations.apply import migrate
from models.erasures import Origin, Scope
from tests.jobs.spoken import BOOKING
from tests.jobs.test_erasures import erase, go_on
from tests.jobs.test_privacy_command import privacy

__all__ = ["privacy"]
DAY = timedelta(days=1)
LIVES = 37  # days: thirty of backups, and seven


@pytest.fixture
def recorded(house, shop, remaining) -> UUID:
    """An erasure that was completed today, and is in the journal."""
    told = shop.call(BOOKING.audio)
    house.drain()
    erasure = erase(house, shop.business, "person", told.person)
    assert go_on(house, remaining, erasure) == "completed"
    return erasure


def stored(objects, shop, confirmed_at: datetime) -> str:
    """Store an entry that the database knows nothing of."""
    about = {"business_id": shop.business, "erasure_id": uuid4(), "scope": Scope.PERSON, "origin": Origin.REQUEST}
    entry = Entry(**about, root_id=None, confirmed_at=confirmed_at, map="0" * 64, meant=())
    objects.put(entry.key, entry.model_dump_json().encode(), "application/json")
    return entry.key


def aged(house, erasure: UUID, objects, shop, days: int) -> None:
    """Make an erasure, and its entry, so many days older."""
    house.sql(
        "UPDATE nexara.erasures SET confirmed_at = now() - :since, completed_at = now() - :since WHERE id = :id",
        since=days * DAY,
        id=erasure,
    )
    key = key_of(shop.business, erasure)
    entry = Entry.model_validate_json(objects.get(key)).model_copy(update={"confirmed_at": clock.now() - days * DAY})
    objects.put(key, entry.model_dump_json().encode(), "application/json")


def prune(house) -> None:
    house.house_enqueue(SweepRetention(as_of=datetime(2999, 1, 1, tzinfo=UTC)))
    house.drain()
    assert {job.state for job in house.jobs("privacy.prune")} == {"succeeded"}


@pytest.mark.parametrize(("days", "gone"), [(LIVES - 1, False), (LIVES + 1, True)])
def test_an_entry_ends_with_the_last_backup_and_a_week_later(house, shop, objects, recorded, days, gone):
    aged(house, recorded, objects, shop, days)
    prune(house)
    assert objects.gone(key_of(shop.business, recorded)) is gone


@pytest.mark.parametrize("state", ["confirmed", "erasing", "pending"])
def test_what_is_not_completed_keeps_its_entry_however_old_it_is(house, shop, objects, recorded, state):
    aged(house, recorded, objects, shop, 400)
    house.sql("UPDATE nexara.erasures SET state = :state, completed_at = NULL", state=state)
    prune(house)
    assert not objects.gone(key_of(shop.business, recorded))


def test_what_was_completed_late_counts_from_then(house, shop, objects, recorded):
    aged(house, recorded, objects, shop, LIVES + 10)
    house.sql("UPDATE nexara.erasures SET completed_at = now() - :since", since=10 * DAY)
    prune(house)
    assert not objects.gone(key_of(shop.business, recorded))


def test_what_the_database_knows_no_more_ends_by_its_own_date_in_every_version(house, shop, objects, recorded, storage):
    house.asking(s3_bucket="versioned")
    storage.create_bucket("versioned", versioned=True)
    bucket = house.vendors.objects
    old, young = stored(bucket, shop, clock.now() - (LIVES + 1) * DAY), stored(bucket, shop, clock.now())
    bucket.put(old, bucket.get(old), "application/json")
    assert len([each for each in bucket.held(PREFIX) if each.key == old]) > 1
    prune(house)
    assert [each.key for each in bucket.held(PREFIX)] == [young]


def test_the_days_of_backups_are_a_setting(house, shop, objects, recorded, database):
    migrate(database.admin_url, deadlines=Deadlines(backups_live=3))
    aged(house, recorded, objects, shop, 11)
    prune(house)
    assert objects.gone(key_of(shop.business, recorded))


def test_no_job_of_a_tenant_ends_an_entry(house, shop, objects, recorded):
    aged(house, recorded, objects, shop, 400)
    house.enqueue(PruneJournal(as_of=clock.now()), shop.business)
    house.drain()
    assert house.job("privacy.prune").reason == "not_of_the_house"
    with house.acting_for(shop.business) as db, pytest.raises(Exception, match="permission denied"):
        db.connection().exec_driver_sql("SELECT nexara.journal_stays_v1(now())")
    assert not objects.gone(key_of(shop.business, recorded))


def test_a_replay_says_how_far_the_journal_reaches_and_that_an_entry_is_gone(house, shop, objects, recorded, privacy):
    objects.delete(key_of(shop.business, recorded))
    told = privacy("replay", "--dry-run").stdout
    assert f"reaches back to {clock.now() - LIVES * DAY:%Y-%m-%d}" in told
    assert str(recorded) not in told
    house.enqueue(ReplayErasure(erasure_id=recorded), shop.business)
    house.drain()
    job = house.job("privacy.replay")
    assert job.state == "dead"
    assert [each.error_code for each in house.attempts("privacy.replay")] == ["entry_gone"]
    assert house.sql("SELECT state FROM nexara.erasures") == "completed"
