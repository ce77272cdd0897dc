"""A business that left is erased by its day; one that comes back in time is not; too late, it is refused."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from jobs.retention.payloads import EndBusiness, SweepRetention
from lifecycle.alarms import alarms
from lifecycle.deadlines import Deadlines, read
from migrations.apply import migrate

DAY = timedelta(days=1)


def now():
    return datetime.now(UTC)


def subscribe(house, shop, status, ends_at=None):
    with house.acting_for(shop.business) as db:
        made = uuid4()
        db.connection().exec_driver_sql(
            "INSERT INTO live.subscriptions (business_id, id, subscription_ref, customer_ref, status, ends_at)"
            " VALUES (%s, %s, %s, 'c', %s, %s)",
            (shop.business, made, str(made), status, ends_at),
        )
    return made


def turn(house, shop, subscription, status, ends_at=None):
    with house.acting_for(shop.business) as db:
        db.connection().exec_driver_sql(
            "UPDATE live.subscriptions SET status = %s, ends_at = %s WHERE id = %s", (status, ends_at, subscription)
        )


def stands(house, shop):
    (row,) = house.rows("SELECT ended_at, erasing_at, erased_at FROM nexara.businesses WHERE id = :b", b=shop.business)
    return row


def sweep(house, as_of=None):
    house.house_enqueue(SweepRetention(as_of=as_of or now()))
    house.step()
    return house.step()


def test_the_clock_starts_when_access_ends_and_not_when_somebody_cancels(house, shop):
    ends_at = now() + 10 * DAY
    subscription = subscribe(house, shop, "active")
    turn(house, shop, subscription, "cancelled", ends_at)
    assert stands(house, shop).ended_at is None
    turn(house, shop, subscription, "expired", now() - DAY)
    assert now() - 2 * DAY < stands(house, shop).ended_at < now()


def test_a_day_that_was_paid_up_to_and_passed_untold_starts_the_clock_at_that_day(house, shop):
    subscription = subscribe(house, shop, "cancelled", now() + DAY)
    paid_up_to = now() - 3 * DAY
    house.sql("ALTER TABLE nexara.subscriptions DISABLE TRIGGER access_ended")
    house.sql("UPDATE nexara.subscriptions SET ends_at = :at WHERE id = :id", at=paid_up_to, id=subscription)
    house.sql("ALTER TABLE nexara.subscriptions ENABLE TRIGGER access_ended")
    assert stands(house, shop).ended_at is None
    sweep(house)
    assert stands(house, shop).ended_at == paid_up_to


@pytest.mark.parametrize("status", ["on_trial", "active", "past_due", "unpaid", "paused"])
def test_whoever_subscribes_again_in_time_stops_the_clock(house, shop, status):
    subscription = subscribe(house, shop, "expired", now() - 30 * DAY)
    assert stands(house, shop).ended_at is not None
    turn(house, shop, subscription, status)
    assert stands(house, shop).ended_at is None


def test_one_subscription_that_goes_on_is_enough(house, shop):
    subscribe(house, shop, "active")
    subscribe(house, shop, "expired", now() - DAY)
    assert stands(house, shop).ended_at is None


def test_of_two_subscriptions_that_ended_the_later_counts(house, shop):
    last = now() - 4 * DAY
    subscribe(house, shop, "expired", now() - 60 * DAY)
    subscribe(house, shop, "cancelled", last)
    assert stands(house, shop).ended_at == last


def test_a_business_is_erased_by_its_day_and_no_earlier(house, new_shop):
    early, due = new_shop(), new_shop()
    subscribe(house, early, "expired", now() - 43 * DAY)
    subscribe(house, due, "expired", now() - 44 * DAY - timedelta(hours=1))
    sweep(house)
    assert stands(house, early).erasing_at is None
    assert stands(house, due).erasing_at is not None
    (erasure,) = house.rows("SELECT business_id, scope, root_id, origin, state FROM nexara.erasures")
    assert erasure == (due.business, "business", due.business, "retention", "confirmed")
    assert house.job("privacy.record").business_id == due.business
    sweep(house)
    assert len(house.jobs("privacy.record")) == 1


def test_whoever_comes_back_between_sweep_and_job_is_not_erased(house, shop):
    subscription = subscribe(house, shop, "expired", now() - 50 * DAY)
    house.house_enqueue(SweepRetention(as_of=now()))
    house.step()
    turn(house, shop, subscription, "active")
    house.step()
    assert house.job("retention.end").reason == "came_back"
    assert stands(house, shop) == (None, None, None)


def test_once_it_is_being_erased_there_is_no_way_back(house, shop):
    subscription = subscribe(house, shop, "expired", now() - 50 * DAY)
    sweep(house)
    with pytest.raises(DBAPIError, match=r"being erased since .* cannot come back"):
        turn(house, shop, subscription, "active")
    for change in ("ended_at = NULL", "erasing_at = NULL"):
        with pytest.raises(DBAPIError, match="cannot come back"), house.acting_for(shop.business) as db:
            db.connection().exec_driver_sql(f"UPDATE live.businesses SET {change}")
    # What the seller still tells of it changes nothing.
    turn(house, shop, subscription, "cancelled", now() - 50 * DAY)
    assert stands(house, shop).erasing_at is not None


def test_a_job_by_hand_ends_no_business_before_its_day(house, shop):
    subscribe(house, shop, "expired", now() - 10 * DAY)
    house.enqueue(EndBusiness(business_id=shop.business), shop.business)
    house.step()
    assert house.job("retention.end").reason == "not_due_yet"
    assert stands(house, shop).erasing_at is None


def test_an_objection_is_kept_for_its_years_from_the_end_of_the_account(house, shop):
    house.sql(
        "INSERT INTO nexara.suppressions (business_id, digest, mailing, why)"
        " VALUES (:b, repeat('a', 64), 'all', 'bounced')",
        b=shop.business,
    )
    subscribe(house, shop, "expired", now() - 50 * DAY)
    sweep(house)
    assert house.sql("SELECT count(*) FROM nexara.suppressions WHERE released_at IS NOT NULL") == 1


def left(house, shop, days):
    house.sql("UPDATE nexara.businesses SET ended_at = now() - :since WHERE id = :b", since=days * DAY, b=shop.business)


def told(house):
    for engine in (house.on_call, house.worker):
        with engine.begin() as db:
            found = alarms(db, now())
    return found


def test_a_business_that_should_be_gone_and_is_not_is_told(house, shop, new_shop):
    left(house, shop, 49)
    assert told(house) == ()
    left(house, shop, 51)
    (alarm,) = told(house)
    assert ("51 days ago" in alarm.title, alarm.urgent, str(shop.business) in alarm.advice) == (True, False, True)
    left(house, shop, 61)
    assert told(house)[0].urgent
    sweep(house)
    assert told(house)  # begun is not done
    house.sql("UPDATE nexara.erasures SET state = 'completed', completed_at = now()")
    assert told(house) == ()
    assert stands(house, shop).erased_at is not None


def test_a_country_that_nobody_looked_up_is_told_and_keeps_for_the_longest_period(house, new_shop):
    shop = new_shop(country="US", zone="America/New_York")
    (alarm,) = told(house)
    assert "US" in alarm.title
    left(house, shop, 0)
    years = house.sql("SELECT extract(year FROM keep_until) - extract(year FROM ended_at) FROM nexara.businesses")
    assert years == 11  # ten from the end of this year


def test_the_days_are_settings_that_migrate_tells_the_database(house, database, shop):
    other = Deadlines(rows=20, vendors=25, last=30)
    migrate(database.admin_url, deadlines=other)
    with house.worker.begin() as db:
        assert read(db) == other
    subscribe(house, shop, "expired", now() - 21 * DAY)
    sweep(house)
    assert stands(house, shop).erasing_at is not None
    migrate(database.admin_url)  # whoever migrates without them changes nothing
    engine = create_engine(database.dashboard_url)
    with engine.connect() as db:
        assert read(db) == other
    engine.dispose()


def test_days_in_an_order_that_keeps_no_promise_are_refused():
    for days in ({"rows": 50, "vendors": 45}, {"last": 90}, {"rows": 0}):
        with pytest.raises(ValueError, match="rows go first"):
            Deadlines(**days)
