"""`nexara enqueue` and `nexara jobs`: what on-call does by hand."""

import json
from uuid import UUID, uuid4

import pytest

from tests.cli.conftest import SECRET, Run
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Dry


def test_a_job_is_enqueued_for_a_business_or_for_the_house(ledger: Ledger, desk: Run) -> None:
    wall = str(uuid4())
    told = desk("enqueue", "walls.paint", json.dumps({"wall_id": wall}), "--business", str(ledger.business))
    assert told.exit_code == 0
    job_id = int(told.stdout.removeprefix("job "))
    assert (ledger.job(job_id).business_id, ledger.job(job_id).payload) == (ledger.business, {"wall_id": wall})
    told = desk("enqueue", "walls.paint", json.dumps({"wall_id": wall}), "--json")
    house = json.loads(told.stdout)
    assert ledger.job(house["id"]).business_id.int == 0
    assert house["id"] != job_id


REFUSED = [
    ("walls.pant", "{}", "unknown kind of job: walls.pant"),
    ("walls.paint", "{", "PAYLOAD must be JSON"),
    ("walls.paint", "[]", "the payload of walls.paint must be a JSON object"),
    ("walls.paint", "{}", "the payload of walls.paint lacks wall_id"),
    ("walls.paint", json.dumps({"wall_id": SECRET}), "wall_id must be a UUID"),
    ("walls.paint", '{"wall_id": NaN}', "invalid input syntax for type json"),
    ("walls.paint", json.dumps({"wall_id": str(UUID(int=1)), "note": SECRET}), "a field it does not know: note"),
]


def test_a_payload_that_does_not_belong_is_refused_with_nothing_written_and_nothing_quoted(
    ledger: Ledger, desk: Run
) -> None:
    for kind, payload, said in REFUSED:
        told = desk("enqueue", kind, payload)
        assert told.exit_code == 2
        assert said in told.stderr
        assert len(told.stderr.splitlines()) == 1
        assert SECRET not in told.output
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


def test_a_business_that_is_no_id_is_refused(run: Run) -> None:
    told = run("enqueue", "walls.paint", "{}", "--business", SECRET)
    assert (told.exit_code, told.stderr) == (2, "nexara: PAYLOAD must be JSON, and --business a UUID\n")


def test_jobs_are_listed_newest_first_whole_and_by_filter(ledger: Ledger, desk: Run, dead: int) -> None:
    new = ledger.enqueue(Dry(wall_id=uuid4()))
    listed = desk("jobs", "list").stdout.splitlines()
    assert listed[0].split() == ["id", "kind", "state", "attempt", "reason", "enqueued"]
    first, *_, last = (line.split() for line in listed[1:])
    assert first[:4] == [str(new), "walls.dry", "available", f"0/{Dry.terms.max_attempts}"]
    assert last[:5] == [str(dead), "walls.paint", "dead", "1/3", "unreadable_recording"]

    def ids(*options: str) -> list[int]:
        return [json.loads(line)["id"] for line in desk("jobs", "list", "--json", *options).stdout.splitlines()]

    follow_up = ledger.sql("SELECT max(id) FROM ledger.jobs WHERE kind = 'walls.dry' AND id <> :new", new=new)
    assert ids() == [new, *([follow_up] if follow_up else []), dead]
    assert ids("--state", "dead") == [dead]
    assert new in ids("--kind", "walls.dry")
    assert dead not in ids("--kind", "walls.dry")


def test_a_list_that_goes_to_a_pipe_is_cut_nowhere(ledger: Ledger, desk: Run, dead: int) -> None:
    reason = "something_long_that_somebody_must_be_able_to_find"
    ledger.sql(
        "UPDATE ledger.jobs SET kind = 'conversations.summarize', reason = :reason WHERE id = :id",
        reason=reason,
        id=dead,
    )
    assert f"  conversations.summarize  dead   1/3      {reason}  20" in desk("jobs", "list", "--state", "dead").stdout


def test_a_list_that_is_cut_says_so(ledger: Ledger, desk: Run) -> None:
    for _ in range(3):
        ledger.enqueue(Dry(wall_id=uuid4()))
    told = desk("jobs", "list", "--limit", "2", "--json")
    assert len(told.stdout.splitlines()) == 2
    assert "There are more" in desk("jobs", "list", "--limit", "2").stderr
    assert "There are more" not in desk("jobs", "list", "--limit", "3").stderr


def test_an_empty_list_says_so_and_a_state_that_there_is_not_is_refused(ledger: Ledger, desk: Run) -> None:
    assert desk("jobs", "list", "--kind", "walls.nothing").stdout == "No such job.\n"
    assert desk("jobs", "list", "--json").stdout == ""
    told = desk("jobs", "list", "--state", "sleepy")
    assert told.exit_code == 2
    assert "--state is one of available, " in told.stderr.replace("scheduled, ", "", 1) or "dead" in told.stderr


def test_a_job_is_shown_with_its_attempts_and_its_chain(ledger: Ledger, desk: Run, dead: int) -> None:
    told = desk("jobs", "show", str(dead)).stdout
    assert told.startswith(f"job {dead}  walls.paint  dead (unreadable_recording)\n")
    for part in (str(ledger.business), "attempts  1 of 3", "gave_up", "The recording cannot be read.", "its chain"):
        assert part in told
    shown = json.loads(desk("jobs", "show", str(dead), "--json").stdout)
    assert shown["job"]["id"] == dead
    assert shown["attempts"][0]["error_code"] == "unreadable_recording"
    told_of_none = desk("jobs", "show", "999999")
    assert (told_of_none.exit_code, told_of_none.stderr) == (2, "nexara: there is no job 999999\n")


@pytest.mark.parametrize("job_id", ["0", "-1", "Jane", str(2**63)])
def test_what_cannot_be_a_jobs_id_is_refused(run: Run, job_id: str) -> None:
    for command in ("show", "retry", "discard"):
        told = run("jobs", command, "--", job_id)
        assert told.exit_code == 2
        assert f"Invalid value for '{'JOB_ID' if command == 'show' else '[JOB_IDS]...'}'" in told.stderr


def test_a_dead_job_is_retried_and_what_cannot_be_is_told(ledger: Ledger, desk: Run, dead: int) -> None:
    told = desk("jobs", "retry", str(dead), "999999")
    assert told.exit_code == 1
    assert told.stdout == f"job {dead} is available\n"
    assert told.stderr == "there is no job 999999\n"
    assert (ledger.job(dead).state, ledger.job(dead).attempt) == ("available", 0)


def test_a_waiting_job_is_cancelled_and_a_running_one_told_to_end(ledger: Ledger, desk: Run) -> None:
    running = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.claimed()
    waiting = ledger.enqueue(Dry(wall_id=uuid4()))
    told = desk("jobs", "cancel", str(waiting), str(running))
    assert told.exit_code == 0
    assert f"job {waiting} is cancelled\n" in told.stdout
    assert f"job {running} is running, and ends at its next checkpoint" in told.stdout
    assert ledger.job(running).cancel_requested_at is not None


def test_a_job_is_put_off(ledger: Ledger, desk: Run) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    assert "is put off until" in desk("jobs", "snooze", str(job_id), "--minutes", "90").stdout
    assert ledger.job(job_id).state == "scheduled"
    refused = desk("jobs", "snooze", "777", "--minutes", "90")
    assert (refused.exit_code, "there is no job 777" in refused.stderr) == (2, True)


def test_a_queue_is_paused_seen_and_resumed(ledger: Ledger, desk: Run) -> None:
    assert "Nothing is paused" in desk("pauses", "list").stdout
    added = desk("pauses", "add", "--queue", "walls", "--why", "the scaffold is loose")
    assert added.exit_code == 0
    number = added.stdout.split()[1]
    assert "queue walls  since" in desk("pauses", "list").stdout
    (seen,) = [json.loads(line) for line in desk("pauses", "list", "--json").stdout.splitlines()]
    assert (seen["queue"], seen["why"], "at the command line" in seen["who"]) == (
        "walls",
        "the scaffold is loose",
        True,
    )
    assert desk("pauses", "end", number).exit_code == 0
    again = desk("pauses", "end", number)
    assert (again.exit_code, "was ended before" in again.stderr) == (2, True)


@pytest.mark.parametrize("named", [(), ("--queue", "nowhere"), ("--business", "Smith")])
def test_a_pause_of_nothing_that_there_is_is_refused(desk: Run, named: tuple[str, ...]) -> None:
    refused = desk("pauses", "add", *named, "--why", "x")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("nexara: ")
    assert "Smith" not in refused.stderr


def test_a_job_is_discarded_once(ledger: Ledger, desk: Run, dead: int) -> None:
    told = desk("jobs", "discard", str(dead), "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {"id": dead, "state": "discarded", "refused": None}
    assert ledger.job(dead).state == "discarded"
    told = desk("jobs", "discard", str(dead), "--json")
    assert told.exit_code == 1
    refused = json.loads(told.stdout)
    assert (refused["state"], refused["refused"]) == (None, f"job {dead} is discarded: there is nothing to discard")
