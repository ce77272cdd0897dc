"""Each vendor by its own API: what the map says may lie there is asked for, read back, and gone or known to lapse."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column

from jobs.copies.payloads import FOLLOWS
from models.contracts import TELNYX_MESSAGES, TWILIO_ENTRIES, WHATSAPP_MESSAGES
from models.entries import rows, table_of
from tests.jobs.remaining import STORES

MINUTE = timedelta(minutes=1)
UUID_1 = "5a9d0b0c-0000-4000-8000-000000000001"
NOT_THERE = {
    ("objects", "recording"): "b/recordings/gone.wav",
    ("objects", "media"): "b/media/gone.png",
    ("twilio", "call"): "CA404",
    ("twilio", "recording"): "RE404",
    ("twilio", "message"): "SM404",
    ("twilio", "media"): "MM404/ME404",
    ("twilio", "number"): "PN404",
    ("telnyx", "call"): "c404",
    ("telnyx", "recording"): "r404",
    ("telnyx", "message"): "m404",
    ("telnyx", "media"): "d404",
    ("telnyx", "number"): "n404",
    ("vapi", "call"): "v404",
    ("vapi", "recording"): "v404",
    ("vapi", "number"): "n404",
    ("elevenlabs", "conversation"): "e404",
    ("meta", "message"): "wamid.404",
    ("meta", "media"): "404",
    ("360dialog", "message"): "wamid.404",
    ("360dialog", "media"): "404",
    ("supabase", "user"): UUID_1,
}
"""An id, of each kind of copy that a column names, of which the vendor has nothing."""
OTHERWISE = {"google": "tests/jobs/test_copies_google.py"}
LAPSING = {
    ("telnyx", "call"),
    ("telnyx", "message"),
    ("telnyx", "media"),
    ("meta", "message"),
    ("360dialog", "message"),
}


def named(column: Column) -> set[tuple[str, str]]:
    """Return the stores in which the copy that a column names may lie, and what it is there."""
    info = column.info
    stores = [info["at"]] if "at" in info else list(column.table.columns[info["at_in"]].type.words)
    return {(str(store), info["what"]) for store in stores}


def outside() -> set[tuple[str, str]]:
    columns = [column for row in rows() for column in table_of(row).columns if {"at", "at_in"} & set(column.info)]
    return {pair for column in columns for pair in named(column)}


def test_every_copy_that_a_column_names_is_followed_up_by_a_kind_of_job():
    assert {store for store, _ in outside()} <= set(FOLLOWS)
    assert {pair for pair in outside() if pair[0] not in OTHERWISE} == set(NOT_THERE)


@pytest.mark.parametrize(("store", "what"), sorted(NOT_THERE))
def test_of_what_the_vendor_has_not_it_is_read_that_it_is_gone(remaining, store, what):
    copy = remaining.leave(store, what, NOT_THERE[store, what])
    remaining.follow(store)
    row = remaining.row(copy)
    assert (row.state, row.ref) == ("lapses" if (store, what) in LAPSING else "confirmed", None)


@pytest.mark.parametrize(
    ("store", "what", "ref"),
    [
        ("twilio", "recording", "RE1"),
        ("twilio", "message", "SM1"),
        ("twilio", "media", "MM1/ME1"),
        ("twilio", "number", "PN1"),
        ("telnyx", "recording", "r1"),
        ("telnyx", "number", "n1"),
        ("vapi", "call", "v1"),
        ("vapi", "number", "n1"),
        ("elevenlabs", "conversation", "e1"),
    ],
)
@pytest.mark.parametrize("deletes", ["at_once", "slowly", "never"])
def test_what_a_vendor_of_calls_has_goes_and_is_called_gone_only_then(remaining, store, what, ref, deletes):
    remaining.put(store, what, ref, deletes=deletes, takes=3600)
    copy = remaining.leave(store, what, ref)
    remaining.follow(store)
    state = remaining.row(copy).state
    if deletes == "at_once":
        assert remaining.at(store) == set()
        assert state == ("lapses" if what == "recording" and store == "twilio" else "confirmed")
    else:
        assert ref in remaining.at(store)
        assert state in ("accepted", "sent")


def test_of_a_deleted_recording_twilio_keeps_an_entry_and_says_until_when(remaining):
    remaining.put("twilio", "recording", "RE1")
    copy = remaining.leave("twilio", "recording", "RE1")
    remaining.follow("twilio")
    row = remaining.row(copy)
    assert (row.state, row.ref, len(row.digest)) == ("lapses", None, 64)
    assert abs(row.lapses_at - datetime.now(UTC) - TWILIO_ENTRIES) < MINUTE
    assert row.confirmed_at == row.lapses_at


def test_of_a_recording_that_goes_slowly_the_entry_lapses_as_well(remaining):
    remaining.put("twilio", "recording", "RE1", deletes="slowly", takes=0.3)
    copy = remaining.leave("twilio", "recording", "RE1")
    remaining.follow("twilio")
    for _ in range(50):
        if remaining.row(copy).state != "accepted":
            break
        remaining.later()
    assert remaining.row(copy).state == "lapses"
    assert abs(remaining.row(copy).lapses_at - datetime.now(UTC) - TWILIO_ENTRIES) < MINUTE


@pytest.mark.parametrize(
    ("store", "within"),
    [("telnyx", TELNYX_MESSAGES), ("meta", WHATSAPP_MESSAGES), ("360dialog", WHATSAPP_MESSAGES)],
)
def test_a_message_that_no_call_deletes_lapses_within_the_vendors_own_period(remaining, store, within):
    copy = remaining.leave(store, "message", "m1")
    remaining.follow(store)
    row = remaining.row(copy)
    assert (row.state, row.ref) == ("lapses", None)
    assert abs(row.lapses_at - datetime.now(UTC) - within) < MINUTE
    assert remaining.asked(store) == []


PICTURE = {"mime_type": "image/png", "base64": base64.b64encode(b"a picture").decode()}


@pytest.mark.parametrize("store", ["meta", "360dialog"])
def test_media_that_linger_are_called_gone_when_nobody_finds_them(remaining, store):
    remaining.fill(store, lingers=2, media={"7": PICTURE})
    copy = remaining.leave(store, "media", "7")
    remaining.follow(store)
    assert (remaining.row(copy).state, remaining.row(copy).reason) == ("sent", "still_there")
    remaining.later()
    assert remaining.row(copy).state == "sent"
    remaining.later()
    assert remaining.row(copy).state == "confirmed"
    assert remaining.held(store)["media"] == {}


def test_360dialog_is_asked_for_few_and_slowly_since_it_locks_out_who_asks_for_what_is_gone(remaining):
    copies = [remaining.leave("360dialog", "media", str(number)) for number in range(5)]
    remaining.follow("360dialog")
    assert [remaining.row(each).state for each in copies] == ["confirmed"] * 4 + ["planned"]
    (job,) = [job for job in remaining.house.jobs() if job.state == "scheduled"]
    assert timedelta(minutes=55) < job.run_at - datetime.now(UTC) < timedelta(minutes=65)


def test_a_contact_is_taken_off_the_list_and_not_even_a_digest_of_the_address_stays(remaining):
    remaining.fill("resend", contacts={"c1": {"email": "ada@example.com"}})
    copy = remaining.leave("resend", "contact", "ada@example.com")
    remaining.follow("resend")
    row = remaining.row(copy)
    assert (row.state, row.ref, row.digest) == ("confirmed", None, None)
    assert remaining.held("resend")["contacts"] == {}


def test_an_object_goes_from_the_bucket(remaining, objects):
    objects.put(f"{UUID_1}/recordings/1.wav", b"sound", "audio/wav")
    objects.put(f"{UUID_1}/recordings/1.wav.json", b"{}", "application/json")
    copy = remaining.leave("objects", "recording", f"{UUID_1}/recordings/1.wav")
    remaining.follow("objects")
    assert remaining.row(copy).state == "confirmed"
    assert [each.key for each in objects.held(f"{UUID_1}/recordings/1.wav")] == [f"{UUID_1}/recordings/1.wav.json"]


def test_every_store_has_a_kind_of_job_of_its_name():
    assert [FOLLOWS[store].kind for store in STORES] == [
        f"copies.{ {'360dialog': 'dialog360'}.get(store, store) }" for store in STORES
    ]
