"""What nobody classified blocks the word "completed", and no deletion."""

from tests.jobs.spoken import BOOKING
from tests.jobs.test_erasures import erase, go_on, receipts


def test_an_erasure_deletes_beside_an_unknown_column_and_is_completed_when_it_is_known(house, shop, remaining):
    told = shop.call(BOOKING.audio)
    house.drain()
    house.sql("ALTER TABLE nexara.calls ADD COLUMN heard_by text")
    erasure = erase(house, shop.business, "person", told.person)
    assert go_on(house, remaining, erasure, looks=2) == "pending"
    assert house.sql("SELECT count(*) FROM nexara.calls") == 0
    assert receipts(house, shop.business) == []
    (why,) = {attempt.error_code for attempt in house.attempts() if attempt.kind == "privacy.verify"}
    assert why == "unmapped"
    house.sql("ALTER TABLE nexara.calls DROP COLUMN heard_by")
    assert go_on(house, remaining, erasure) == "completed"
    (receipt,) = receipts(house, shop.business)
    assert receipt.body["checked"]["unmapped"] == 0
