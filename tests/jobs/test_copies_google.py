"""Bookings go from the calendars that a business connected, in whichever they lie; then the access, last of all."""

from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from tests.jobs.conftest import OWNER, TOKEN_KEY

GRANT = "sandbox-refresh-1"
OTHER = "sandbox-refresh-2"


def sealed(token, key=TOKEN_KEY):
    return Fernet(key).encrypt(token.encode()).decode()


@pytest.fixture
def connected(remaining, shop):
    """A business with two calendars, an event in the second, and the rows that say so."""
    remaining.fill("google", grants={GRANT: {}, OTHER: {}}, events={f"{OTHER}/primary/e1": {}})
    second = shop.employ("second@example.com")
    for member, grant in ((shop.members[OWNER], GRANT), (second, OTHER)):
        with remaining.house.acting_for(shop.business) as db:
            db.execute(
                text(
                    "INSERT INTO live.integrations (business_id, member_id, vendor, token, scopes) "
                    "VALUES (:business, :member, 'google', :token, '[\"calendar.events\"]')"
                ),
                {"business": shop.business, "member": member, "token": sealed(grant)},
            )
    return remaining


def disconnect(remaining, *grants):
    """Delete the rows of these calendars, or of all, as the web tier or an erasure does."""
    house = remaining.house
    rows = house.rows("SELECT id, token FROM nexara.integrations")
    ours = [row.id for row in rows if not grants or Fernet(TOKEN_KEY).decrypt(row.token).decode() in grants]
    for each in ours:
        house.sql("DELETE FROM nexara.integrations WHERE id = :id", id=each)


def test_an_event_goes_from_whichever_calendar_has_it(connected):
    copy = connected.leave("google", "event", "e1")
    connected.follow("google")
    assert (connected.row(copy).state, connected.row(copy).ref) == ("confirmed", None)
    assert connected.held("google")["events"] == {}
    assert set(connected.held("google")["grants"]) == {GRANT, OTHER}


def test_an_access_is_given_back_when_its_row_goes_and_what_was_sealed_is_not_kept(connected):
    disconnect(connected, GRANT)
    connected.follow("google")
    assert set(connected.held("google")["grants"]) == {OTHER}
    (row,) = connected.house.rows("SELECT * FROM nexara.remains")
    assert (row.store, row.what, row.state, row.ref) == ("google", "access", "confirmed", None)


def test_the_access_goes_last_also_where_its_row_went_first(connected):
    event = connected.leave("google", "event", "e1")
    disconnect(connected)
    connected.follow("google")
    assert connected.row(event).state == "confirmed"
    held = connected.held("google")
    assert (held["events"], held["grants"]) == ({}, {})
    paths = [each["path"] for each in connected.wires["google"].asked()]
    assert max(at for at, path in enumerate(paths) if "/events/" in path) < paths.index("/revoke")
    assert {state for state, _ in connected.states()} == {"confirmed"}


def test_while_an_event_waits_no_access_is_given_back(connected):
    event = connected.leave("google", "event", "e1", state="blocked", age="-1 hour")
    disconnect(connected)
    connected.follow("google")
    assert set(connected.held("google")["grants"]) == {GRANT, OTHER}
    assert connected.row(event).state == "blocked"
    connected.later()
    connected.later()
    assert connected.held("google")["grants"] == {}


def test_an_event_that_nobody_lets_us_look_for_is_somebodys_to_delete(connected):
    connected.wires["google"].reset()
    connected.fill("google", grants={GRANT: {}}, events={f"{OTHER}/primary/e1": {}})  # the other was revoked
    lost = connected.leave("google", "event", "e1")
    connected.follow("google")
    assert (connected.row(lost).state, connected.row(lost).reason) == ("manual", "google_access_gone")
    assert connected.row(lost).confirmed_at is None


def test_an_event_that_was_found_and_deleted_is_gone_though_another_calendar_is_shut(connected):
    connected.wires["google"].reset()
    connected.fill("google", grants={OTHER: {}}, events={f"{OTHER}/primary/e1": {}})
    copy = connected.leave("google", "event", "e1")
    connected.follow("google")
    assert connected.row(copy).state == "confirmed"


def test_without_any_calendar_an_event_is_somebodys(remaining):
    copy = remaining.leave("google", "event", "e1")
    remaining.follow("google")
    assert (remaining.row(copy).state, remaining.row(copy).reason) == ("manual", "google_access_gone")


def test_an_event_that_lingers_is_not_called_gone(connected):
    connected.fill("google", lingers=5)
    copy = connected.leave("google", "event", "e1")
    connected.follow("google")
    assert (connected.row(copy).state, connected.row(copy).reason) == ("sent", "still_there")


def test_a_token_that_another_replaces_is_no_access_less(connected):
    house = connected.house
    house.sql("UPDATE nexara.integrations SET token = :token", token=sealed("sandbox-refresh-3"))
    assert house.rows("SELECT * FROM nexara.remains") == []
    house.sql("UPDATE nexara.integrations SET token = NULL")
    assert house.sql("SELECT count(*) FROM nexara.remains WHERE what = 'access'") == 2


def test_a_token_that_no_key_opens_parks_the_business_and_loses_nothing(connected):
    copy = connected.leave("google", "event", "e1")
    other_key = Fernet.generate_key().decode()
    connected.house.asking(google_token_keys=other_key)
    (ended,) = connected.follow("google")
    assert (ended.state, ended.reason) == ("parked", "seal_unopened")
    assert connected.house.sql("SELECT business_id FROM ledger.pauses WHERE ended_at IS NULL") == connected.business
    assert connected.row(copy).state == "planned"
    connected.house.asking(google_token_keys=f"{other_key},{TOKEN_KEY}")
    connected.house.retry(ended.job_id)
    connected.house.drain()
    assert connected.row(copy).state == "confirmed"


def test_without_a_key_to_the_tokens_the_kind_waits_for_it(connected):
    connected.leave("google", "event", "e1")
    connected.house.asking(google_token_keys="")
    (ended,) = connected.follow("google")
    assert (ended.state, ended.reason) == ("parked", "setting_missing")


def test_a_busy_calendar_keeps_what_was_done(connected):
    connected.fill("google", events={f"{GRANT}/primary/e2": {}, f"{OTHER}/primary/e1": {}})
    first, second = connected.leave("google", "event", "e2"), connected.leave("google", "event", "e1")
    connected.leave("google", "event", str(uuid4()))
    asked = 2 + 5 + 3  # for two tokens, for the first event to its end, for the second until it is deleted
    connected.wires["google"].goes_wrong(*[{}] * asked, {"status": 429, "headers": {"retry-after": "60"}})
    connected.follow("google")
    assert [connected.row(each).state for each in (first, second)] == ["confirmed", "accepted"]
    assert connected.held("google")["events"] == {}
    connected.later()
    assert {state for state, _ in connected.states()} == {"confirmed"}
