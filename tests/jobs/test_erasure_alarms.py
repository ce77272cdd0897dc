"""An erasure that waits for somebody, or takes too long, is told of: overview, doctor, command line."""

import pytest

from lifecycle.alarms import alarms
from tests.jobs.spoken import BOOKING
from tests.jobs.test_erasures import erase, go_on
from tests.jobs.test_privacy_command import privacy, typed
from tests.jobs.test_retention_end import now

__all__ = ["privacy", "typed"]
NUMBER = "900123"


def told(house):
    """Return what on-call and the doctor are told, which is one thing."""
    found = []
    for engine in (house.on_call, house.worker):
        with engine.begin() as db:
            found.append(alarms(db, now()))
    assert found[0] == found[1]
    assert not any(NUMBER in each.title + each.advice for each in found[0])
    return found[0]


def older(house, days):
    """Let days pass for whoever waits."""
    since = f"- interval '{days} days'"
    with house.admin.begin() as db:
        db.exec_driver_sql("SET LOCAL session_replication_role = replica")
        db.exec_driver_sql(
            f"UPDATE nexara.erasures SET asked_at = asked_at {since}, confirmed_at = confirmed_at {since}"
        )
        db.exec_driver_sql(f"UPDATE nexara.remains SET made_at = made_at {since}")
        db.exec_driver_sql(f"UPDATE nexara.reviews SET made_at = made_at {since}")


@pytest.fixture
def stuck(house, shop, remaining):
    """An erasure that waits for a copy that no call deletes, and for a text of the business's own."""
    one = shop.call(BOOKING.audio)
    house.drain()
    house.sql("UPDATE nexara.calls SET twilio_ref = 'no id of theirs' WHERE id = :id", id=one.call)
    house.sql(
        "INSERT INTO nexara.knowledge (business_id, chapter, body) VALUES (:b, 'faq', 'Ring +44 7700 900123.')",
        b=shop.business,
    )
    erasure = erase(house, shop.business, "person", one.person)
    assert go_on(house, remaining, erasure, looks=2) == "pending"
    return erasure


def test_what_somebody_has_to_see_to_is_told_at_once_and_what_takes_too_long_by_and_by(house, shop, stuck, privacy):
    by_hand, text = told(house)
    assert by_hand.title == "1 copy waits for somebody, since today"
    assert text.title == "1 text waits to be looked at, since today"
    for each in (by_hand, text):
        assert f"nexara privacy show {shop.business} {stuck}" in each.advice
        assert not each.urgent
    assert f"ask-again {shop.business} {stuck}" in by_hand.advice
    (line,) = privacy("list", "--open").stdout.splitlines()
    assert line.endswith("; 1 texts to look at, 1 copies to see to by hand")
    older(house, 8)
    assert {each.title for each in told(house)} == {
        "1 copy waits for somebody, for 8 days",
        "1 text waits to be looked at, for 8 days",
        "An erasure that was asked for 8 days ago is not completed",
    }
    assert privacy("list").stdout.rstrip().endswith("asked for 8 days ago")
    assert not any(each.urgent for each in told(house))
    older(house, 18)
    assert all(each.urgent for each in told(house))


def test_what_was_seen_to_is_told_no_more(house, shop, stuck, remaining, privacy):
    house.sql("UPDATE nexara.remains SET ref = 'CA1' WHERE store = 'twilio'")
    assert privacy("ask-again", shop.business, stuck).exit_code == 0
    (review,) = house.rows("SELECT id FROM nexara.reviews")
    assert privacy("review", shop.business, review.id, "cleared").exit_code == 0
    assert told(house) == ()
    assert go_on(house, remaining, stuck) == "completed"
    older(house, 60)
    assert told(house) == ()
    assert "days ago" not in privacy("list").stdout


def test_one_that_nobody_confirms_is_told_after_three_days(house, shop, privacy, typed):
    shop.call(BOOKING.audio)
    shop.call(BOOKING.audio)  # one number, two people
    house.drain()
    privacy("erase", shop.business, "--scope", "person", "--identifiers", typed)
    house.drain()
    older(house, 2)
    assert told(house) == ()
    older(house, 2)
    (alarm,) = told(house)
    assert alarm.title == "An erasure that was asked for 4 days ago is not confirmed"
    erasure = house.sql("SELECT id FROM nexara.erasures")
    assert f"nexara privacy plan {shop.business} {erasure}" in alarm.advice
    privacy("withdraw", shop.business, erasure)
    assert told(house) == ()


def test_a_copy_that_is_of_no_erasure_is_told_too(house, shop, remaining):
    remaining.leave("twilio", "call", "none of theirs", state="manual")
    (alarm,) = told(house)
    assert "went by age" in alarm.advice
    assert "none of theirs" not in alarm.title + alarm.advice
