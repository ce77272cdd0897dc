"""A copy is gone when its vendor says so when asked; whatever the vendor does instead, nothing is called gone."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.copies.asking import ASKED_AGAIN, MOST_FAILURES
from jobs.copies.following import Keeping
from jobs.copies.payloads import following
from jobs.copies.twilio import OfTwilio
from tests.jobs.gate import PATIENCE

CA1 = "8b6398d087e48123e80ba59f059907cf4539326ff1e06cd5c49ec0d402d4e2e3"
"""What `printf CA1 | sha256sum` says."""
NOTHING = {}
"""A fault that spoils nothing: the answers after it are what a test is about."""
BUSY = {"status": 429, "headers": {"retry-after": "120"}}
DOWN = {"status": 500}


def now():
    return datetime.now(UTC)


def calls(remaining, *refs, **says):
    """Put calls at Twilio, and leave each to be deleted."""
    for ref in refs:
        remaining.put("twilio", "call", ref, **says)
    return [remaining.leave("twilio", "call", ref) for ref in refs]


def test_what_is_deleted_is_read_back_and_only_a_digest_of_its_id_stays(remaining):
    (copy,) = calls(remaining, "CA1")
    (ended,) = remaining.follow("twilio")
    row = remaining.row(copy)
    assert (ended.state, row.state, row.reason, row.tries) == ("succeeded", "confirmed", None, 1)
    assert row.ref is None
    assert row.digest == CA1
    assert now() - row.confirmed_at < timedelta(minutes=1)
    assert remaining.at("twilio") == set()
    assert [path.rpartition("/")[2] for path in remaining.asked("twilio")] == ["CA1.json"] * 2


def test_what_is_not_there_is_gone(remaining):
    copy = remaining.leave("twilio", "call", "CA404")
    remaining.follow("twilio")
    assert remaining.row(copy).state == "confirmed"


def test_what_the_vendor_says_it_deleted_and_still_has_is_never_called_gone(remaining):
    (copy,) = calls(remaining, "CA1", deletes="never")
    remaining.follow("twilio")
    for _ in range(4):
        row = remaining.row(copy)
        assert (row.state, row.reason, row.ref) == ("sent", "still_there", "CA1")
        assert row.confirmed_at is None
        assert row.retry_at > now() - timedelta(seconds=1)
        remaining.later()
    assert remaining.row(copy).tries == 5
    assert len(remaining.asked("twilio", "DELETE")) == 5


def test_what_is_accepted_is_waited_for_and_only_read_until_it_is_gone(remaining):
    (copy,) = calls(remaining, "CA1", deletes="slowly", takes=3600)
    remaining.follow("twilio")
    assert remaining.row(copy).state == "accepted"
    remaining.later()
    assert (remaining.row(copy).state, remaining.row(copy).tries) == ("accepted", 2)
    assert len(remaining.asked("twilio", "DELETE")) == 1
    remaining.wires["twilio"].reset()  # it has come to it
    remaining.later()
    assert remaining.row(copy).state == "confirmed"
    assert remaining.asked("twilio", "DELETE") == []


def test_what_was_accepted_and_does_not_come_is_asked_for_again_some_looks_later(remaining):
    remaining.put("twilio", "call", "CA1", deletes="slowly", takes=3600)
    copy = remaining.leave("twilio", "call", "CA1", state="accepted", tries=ASKED_AGAIN - 2)
    remaining.follow("twilio")
    assert remaining.asked("twilio", "DELETE") == []
    remaining.later()
    assert len(remaining.asked("twilio", "DELETE")) == 1
    assert remaining.row(copy).state == "accepted"


def test_what_is_not_over_yet_is_asked_for_when_the_vendor_said_and_holds_up_no_other(remaining):
    running, over = calls(remaining, "CA1", over=False)[0], calls(remaining, "CA2")[0]
    remaining.follow("twilio")
    row = remaining.row(running)
    assert (row.state, row.reason) == ("blocked", "not_over_yet")
    assert timedelta(minutes=50) < row.retry_at - now() < timedelta(minutes=70)
    assert remaining.row(over).state == "confirmed"
    remaining.put("twilio", "call", "CA1")
    remaining.later()
    assert remaining.row(running).state == "confirmed"


def test_a_conflict_blocks_one_copy_and_is_no_failure_of_the_job(remaining):
    remaining.put("telnyx", "recording", "r1")
    copy = remaining.leave("telnyx", "recording", "r1")
    remaining.wires["telnyx"].goes_wrong({"status": 409})
    (ended,) = remaining.follow("telnyx")
    assert ended.state == "succeeded"
    assert (remaining.row(copy).state, remaining.row(copy).reason) == ("blocked", "telnyx_unready")
    remaining.later()
    assert remaining.row(copy).state == "confirmed"


def test_an_id_that_is_none_is_somebodys_and_stops_no_other(remaining):
    wrong, right = remaining.leave("twilio", "call", "not one of theirs/.."), *calls(remaining, "CA1")
    missing = remaining.leave("twilio", "call", None)
    strange = remaining.leave("twilio", "hologram", "HO1")
    (ended,) = remaining.follow("twilio")
    assert ended.state == "succeeded"
    assert remaining.row(right).state == "confirmed"
    assert remaining.states() == [
        ("manual", "twilio_ref_malformed"),
        ("confirmed", None),
        ("manual", "twilio_ref_malformed"),
        ("manual", "copy_unknown"),
    ]
    assert remaining.row(wrong).ref == "not one of theirs/.."
    assert [remaining.row(copy).confirmed_at for copy in (wrong, missing, strange)] == [None] * 3


def test_a_vendor_that_wants_a_pause_before_anything_was_done_is_left_alone_by_everybody(remaining):
    (copy,) = calls(remaining, "CA1")
    remaining.wires["twilio"].goes_wrong(BUSY)
    (ended,) = remaining.follow("twilio")
    assert (ended.state, ended.reason) == ("retryable", "twilio_busy")
    left = remaining.house.sql("SELECT blocked_until - now() FROM ledger.limits WHERE name = 'twilio'")
    assert timedelta(seconds=100) < left <= timedelta(seconds=120)
    row = remaining.row(copy)
    assert (row.state, row.reason, row.tries) == ("planned", None, 0)


def test_a_vendor_that_wants_a_pause_later_is_left_alone_and_what_was_done_stays_done(remaining):
    first, second, third = calls(remaining, "CA1", "CA2", "CA3")
    remaining.wires["twilio"].goes_wrong(NOTHING, NOTHING, BUSY)
    (ended,) = remaining.follow("twilio")
    assert ended.state == "succeeded"
    assert remaining.row(first).state == "confirmed"
    assert [(remaining.row(each).state, remaining.row(each).tries) for each in (second, third)] == [("planned", 0)] * 2
    (job,) = [job for job in remaining.house.jobs("copies.twilio") if job.state == "scheduled"]
    assert timedelta(seconds=100) < job.run_at - now() <= timedelta(seconds=120)
    remaining.house.later()
    remaining.house.drain()
    assert [state for state, _ in remaining.states()] == ["confirmed"] * 3
    assert sum("CA1" in path for path in remaining.asked("twilio", "DELETE")) == 1


def test_what_could_not_be_read_back_for_a_pause_is_not_deleted_again(remaining):
    (copy,) = calls(remaining, "CA1")
    remaining.wires["twilio"].goes_wrong(NOTHING, BUSY)
    remaining.follow("twilio")
    assert (remaining.row(copy).state, remaining.row(copy).reason) == ("accepted", "twilio_busy")
    remaining.later()
    assert remaining.row(copy).state == "confirmed"
    assert len(remaining.asked("twilio", "DELETE")) == 1


def test_a_vendor_that_is_down_fails_the_job_and_changes_no_copy(remaining):
    copies = calls(remaining, "CA1", "CA2", "CA3", "CA4")
    remaining.wires["twilio"].goes_wrong(*[DOWN] * 10)
    (ended,) = remaining.follow("twilio")
    assert (ended.state, ended.reason) == ("retryable", "twilio_down")
    assert len(remaining.asked("twilio")) == MOST_FAILURES
    assert {(remaining.row(each).state, remaining.row(each).tries) for each in copies} == {("planned", 0)}
    remaining.wires["twilio"].reset()
    remaining.house.drain_all()
    assert {remaining.row(each).state for each in copies} == {"confirmed"}


def test_a_copy_that_a_vendor_stumbles_over_waits_and_the_others_go(remaining):
    first, second = calls(remaining, "CA1", "CA2")
    remaining.wires["twilio"].goes_wrong(DOWN)
    (ended,) = remaining.follow("twilio")
    assert ended.state == "succeeded"
    assert (remaining.row(first).state, remaining.row(first).reason) == ("blocked", "twilio_down")
    assert remaining.row(second).state == "confirmed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"html": True}, "twilio_garbled"),
        ({"status": 200, "body": {"any": "thing"}}, "twilio_garbled"),
        ({"reset": True, "unheard": True}, "twilio_unreachable"),
        ({"status": 404, "body": "<html>no such page</html>"}, "twilio_not_there"),
    ],
)
def test_an_answer_that_is_none_of_the_vendors_proves_nothing(remaining, fault, code):
    (copy,) = calls(remaining, "CA1")
    remaining.wires["twilio"].goes_wrong(*[fault] * 4)
    (ended,) = remaining.follow("twilio")
    assert ended.state in ("retryable", "parked")
    assert (ended.reason, remaining.row(copy).state) == (code, "planned")


@pytest.mark.parametrize("fault", [{"html": True}, {"status": 200, "body": []}, {"status": 500}])
def test_a_reading_back_that_is_none_proves_nothing_either(remaining, fault):
    (copy,) = calls(remaining, "CA1", deletes="never")
    remaining.wires["twilio"].goes_wrong(NOTHING, fault)
    remaining.follow("twilio")
    assert remaining.row(copy).state == "accepted"
    assert remaining.row(copy).confirmed_at is None


def test_a_refused_key_parks_the_job_pauses_its_kind_and_changes_no_copy(remaining):
    (copy,) = calls(remaining, "CA1")
    remaining.house.asking(twilio_api_key="wrong")
    (ended,) = remaining.follow("twilio")
    assert (ended.state, ended.reason) == ("parked", "twilio_key_refused")
    assert remaining.house.sql("SELECT kind FROM ledger.pauses WHERE ended_at IS NULL") == "copies.twilio"
    assert (remaining.row(copy).state, remaining.row(copy).tries) == ("planned", 0)


def test_a_vendor_whose_key_nobody_set_parks_what_comes_all_the_same(remaining):
    remaining.leave("vapi", "call", "v1")
    remaining.house.asking(vapi_api_key="")
    (ended,) = remaining.follow("vapi")
    assert (ended.state, ended.reason) == ("parked", "setting_missing")


def test_what_was_asked_is_not_asked_again_when_its_save_was_lost(remaining):
    copies = calls(remaining, "CA1", "CA2")
    house = remaining.house
    house.sql(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
    )
    house.sql("CREATE TRIGGER refuse BEFORE UPDATE ON nexara.remains EXECUTE FUNCTION public.refuse()")
    (ended,) = remaining.follow("twilio")
    assert (ended.state, ended.reason) == ("retryable", "bug")
    kept = str(house.rows("SELECT answer FROM ledger.kept_answers"))
    assert "confirmed" in kept
    assert "CA1" not in kept
    asked = remaining.asked("twilio")
    house.sql("DROP TRIGGER refuse ON nexara.remains")
    house.drain_all()
    assert remaining.asked("twilio") == asked
    assert [remaining.row(each).state for each in copies] == ["confirmed", "confirmed"]


def test_a_job_whose_worker_died_after_it_asked_does_no_harm_when_it_asks_again(remaining):
    (copy,) = calls(remaining, "CA1")
    remaining.house.enqueue(following("twilio", remaining.business), remaining.business)
    (claimed,) = remaining.house.claimed()
    given = remaining.house.registry["copies.twilio"].steps
    # What the dead worker did: it asked, and nobody kept what came of it.
    row = remaining.row(copy)
    remaining.house.vendors.twilio.delete(row.what, row.ref)
    assert isinstance(given, OfTwilio)
    assert remaining.house.runner.run(claimed).state == "succeeded"
    assert remaining.row(copy).state == "confirmed"


def test_a_job_that_dies_puts_its_copies_off_and_what_it_may_have_stumbled_over_behind_the_others(remaining):
    copies = calls(remaining, "CA1", "CA2", "CA3", "CA4")
    accepted = remaining.leave("twilio", "call", "CA5", state="accepted")
    remaining.wires["twilio"].goes_wrong(*[DOWN] * 10)
    remaining.house.enqueue(following("twilio", remaining.business), remaining.business)
    remaining.house.sql("UPDATE ledger.jobs SET max_attempts = 1")
    (ended,) = remaining.house.drain()
    assert (ended.state, ended.reason) == ("dead", "attempts_exhausted")
    rows = [remaining.row(each) for each in copies]
    assert {(row.state, row.reason) for row in rows} == {("blocked", "job_ended")}
    assert remaining.row(accepted).state == "accepted"
    assert sorted(row.tries for row in rows) == [0, 1, 1, 1]
    assert min(row.retry_at for row in rows) > now() + timedelta(minutes=50)
    assert remaining.house.jobs("copies.twilio")[1:] == []


def test_more_copies_than_one_job_asks_for_are_followed_up_by_its_successors(remaining):
    most = Keeping.most
    refs = [f"CA{number}" for number in range(2 * most + 1)]
    for ref in refs:
        remaining.leave("twilio", "call", ref)
    ended = remaining.follow("twilio")
    assert [each.state for each in ended] == ["succeeded"] * 3
    assert {state for state, _ in remaining.states()} == {"confirmed"}


def test_what_is_left_while_a_job_runs_is_followed_up_after_it(remaining):
    calls(remaining, "CA1")
    house = remaining.house
    house.enqueue(following("twilio", remaining.business), remaining.business)
    (claimed,) = house.claimed()
    with house.worker.begin() as db:
        db.exec_driver_sql(f"SELECT ledger.start_v1({claimed.id}, {claimed.fence})")
    late = remaining.leave("twilio", "call", "CA2")
    assert house.enqueue(following("twilio", remaining.business), remaining.business) == claimed.id
    assert house.sql("SELECT again FROM ledger.jobs") is True
    assert remaining.row(late).state == "planned"


def test_nobody_asks_for_another_businesss_copies(remaining, new_shop):
    theirs = new_shop().business
    copy = remaining.leave("twilio", "call", "CA1", business=theirs)
    remaining.follow("twilio")
    assert remaining.asked("twilio") == []
    remaining.follow("twilio", theirs)
    assert remaining.row(copy).state == "confirmed"


def test_where_nothing_is_due_nobody_is_asked(remaining):
    copy = remaining.leave("twilio", "call", "CA1", age=timedelta(hours=-1))
    (ended,) = remaining.follow("twilio")
    assert ended.state == "succeeded"
    assert remaining.asked("twilio") == []
    assert remaining.row(copy).state == "planned"


def test_a_vendor_that_hangs_is_a_vendor_that_is_down(remaining):
    (copy,) = calls(remaining, "CA1")
    remaining.house.asking(voice_timeout=0.5)
    remaining.wires["twilio"].goes_wrong({"delay": PATIENCE, "unheard": True})
    (ended,) = remaining.follow("twilio")
    assert (ended.state, ended.reason) == ("retryable", "twilio_timeout")
    assert remaining.row(copy).state == "planned"
