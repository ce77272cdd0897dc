"""Triage at the command line: what fails, a group of it retried or discarded, queues; each act in the audit."""

import json
import re
import shlex
from uuid import UUID, uuid4

import click
import pytest

from nexara import main
from tests.cli.conftest import ROOT
from tests.ledger.kinds import Dry, Paint
from tests.ledger.operating import PRINT, Upkeep, fail

OTHER = "fedcba9876543210"


def lines(told):
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


def last_deed(ledger):
    return ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a ORDER BY id DESC LIMIT 1")


def test_what_fails_is_listed_by_what_failed_alike(desk, ledger):
    assert desk("failures", "list").stdout == "Nothing fails.\n"
    fail(ledger, 3)
    fail(ledger, 1, state="parked", kind="walls.dry", fingerprint=OTHER)
    told = desk("failures", "list")
    assert told.stdout.splitlines()[0] == f"{PRINT}  walls.paint  no_such_wall  3 jobs (dead 3)"
    first, second = lines(desk("failures", "list", "--json"))
    assert (first["jobs"], first["businesses"], second["kind"]) == (3, 1, "walls.dry")
    assert [group["kind"] for group in lines(desk("failures", "list", "--json", "--filter", "state=parked"))] == [
        "walls.dry"
    ]


def test_one_failure_is_shown_with_its_hours(desk, ledger):
    fail(ledger, 3)
    told = desk("failures", "show", PRINT)
    assert "There is no such wall." in told.stdout
    assert "3 attempts" in told.stdout
    (shown,) = lines(desk("failures", "show", PRINT, "--json"))
    assert shown["hours"][0]["jobs"] == 3
    nothing = desk("failures", "show", "never")
    assert (nothing.exit_code, "no job fails so now" in nothing.stderr) == (2, True)


def test_a_group_is_retried_in_the_background_and_followed(desk, ledger):
    fail(ledger, 7)
    (made,) = lines(
        desk(
            "failures",
            "retry",
            PRINT,
            "--why",
            "the vendor is back",
            "--who",
            "kim",
            "--spread",
            "10",
            "--yes",
            "--json",
        )
    )
    assert made["jobs"] == 7
    said = last_deed(ledger)
    assert (said["action"], said["who"], said["role"], said["why"]) == (
        "operations.retry",
        "kim",
        "cli",
        "the vendor is back",
    )
    (listed,) = lines(desk("operations", "list", "--json"))
    assert (listed["id"], listed["state"]) == (made["operation"], "working")
    Upkeep(ledger).to_the_end()
    (shown,) = lines(desk("operations", "show", made["operation"], "--json"))
    assert (shown["state"], shown["done"], shown["jobs_now"]) == ("done", 7, {"scheduled": 6, "available": 1})
    assert "7 done, 0 left out" in desk("operations", "show", made["operation"]).stdout


def test_without_yes_it_counts_shows_some_and_asks_back(desk, ledger):
    ids = fail(ledger, 2)
    told = desk("failures", "discard", PRINT, "--why", "too old")
    assert told.exit_code == 1
    assert "discard 2 jobs: dead 2; walls.paint 2; of 1 businesses, such as" in told.stderr
    assert str(ids[0]) in told.stderr
    assert ledger.sql("SELECT count(*) FROM ledger.operations") == 0
    refused = desk("failures", "discard", PRINT, "--why", "too old", "--json")
    assert (refused.exit_code, "say --yes, too" in refused.stderr) == (2, True)


def test_all_jobs_of_a_filter_are_retried_or_discarded(desk, ledger):
    fail(ledger, 2)
    fail(ledger, 3, kind="walls.dry", fingerprint=OTHER)
    why = ("--why", "it is mended", "--yes")
    (made,) = lines(desk("jobs", "retry", "--filter", "kind=walls.dry", "--filter", "state=dead", *why, "--json"))
    assert made["jobs"] == 3
    (made,) = lines(desk("jobs", "discard", "--filter", f"failing={PRINT}", *why, "--json"))
    assert made["jobs"] == 2
    Upkeep(ledger).to_the_end()
    states = ledger.sql("SELECT jsonb_object_agg(kind, state) FROM ledger.jobs WHERE queue = 'walls'")
    assert states == {"walls.paint": "discarded", "walls.dry": "available"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("jobs", "retry"), "the one or the other"),
        (("jobs", "retry", "1", "--filter", "state=dead"), "the one or the other"),
        (("jobs", "retry", "--filter", "state=dead", "--yes"), "says why"),
        (("jobs", "retry", "--filter", "state=odd", "--yes", "--why", "x"), "A state is one of"),
        (("jobs", "retry", "--filter", "colour=red", "--yes", "--why", "x"), "is no field"),
        (("jobs", "retry", "--filter", "state=dead", "--yes", "--why", "x"), "no job that passes"),
        (("operations", "show", str(UUID(int=1))), "there is no operation"),
        (("operations", "cancel", str(UUID(int=1))), "there is no such operation"),
        (("jobs", "edit", "1", "[1]"), "must be a JSON object"),
        (("jobs", "edit", "1", "{}"), "there is no job 1"),
    ],
    ids=str,
)
def test_what_cannot_be_is_one_line_that_says_what_to_do(desk, ledger, command, said):
    told = desk(*command)
    assert told.exit_code == 2
    assert said in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_an_operation_is_cancelled(desk, ledger):
    fail(ledger, 2)
    (made,) = lines(desk("failures", "retry", PRINT, "--why", "the vendor is back", "--yes", "--json"))
    told = desk("operations", "cancel", made["operation"], "--who", "lee", "--why", "it is not")
    assert told.exit_code == 0
    said = last_deed(ledger)
    assert (said["action"], said["who"], said["why"]) == ("operations.cancel", "lee", "it is not")
    Upkeep(ledger).to_the_end()
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'dead'") == 2


def test_a_payload_is_edited_field_by_field_and_the_difference_is_kept(desk, ledger, dead):
    wall = ledger.job(dead).payload["wall_id"]
    told = desk("jobs", "edit", str(dead), '{"colour": "blue"}', "--why", "it was to be blue", "--json")
    assert lines(told) == [{"id": dead, "payload": {"wall_id": wall, "colour": "blue"}}]
    said = last_deed(ledger)
    assert (said["action"], said["jobs"]) == ("jobs.edit", [dead])
    assert (said["before"], said["after"]) == ({"payload": {"colour": None}}, {"payload": {"colour": "blue"}})
    ledger.sql("UPDATE ledger.jobs SET state = 'dead', finished_at = now() WHERE id = :id", id=dead)
    assert lines(desk("jobs", "edit", str(dead), '{"colour": null}', "--json"))[0]["payload"] == {"wall_id": wall}


def test_a_job_that_waits_runs_at_once(desk, ledger):
    waiting = ledger.enqueue(Dry(wall_id=uuid4()))
    assert desk("jobs", "snooze", str(waiting), "--minutes", "60").exit_code == 0
    assert lines(desk("jobs", "retry-now", str(waiting), "--json")) == [
        {"id": waiting, "state": "available", "refused": None}
    ]
    assert last_deed(ledger)["action"] == "jobs.run_now"
    assert desk("jobs", "retry-now", str(waiting)).exit_code == 1


def test_jobs_are_listed_by_whatever_a_filter_names(desk, ledger):
    fail(ledger, 3)
    theirs = fail(ledger, 2, business=ledger.other)
    business = f"business={ledger.other}"
    listed = lines(desk("jobs", "list", "--state", "dead", "--filter", business, "--filter", "queue=walls", "--json"))
    assert sorted(job["id"] for job in listed) == theirs
    assert lines(desk("jobs", "list", "--filter", business, "--filter", "until=2020-01-01T00:00Z", "--json")) == []
    wrong = desk("jobs", "list", "--filter", "business=acme")
    assert (wrong.exit_code, "A business is a UUID" in wrong.stderr) == (2, True)


def test_queues_tell_what_waits_runs_and_is_paused(desk, ledger):
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.claimed()
    ledger.enqueue(Dry(wall_id=uuid4()))
    assert desk("pauses", "add", "--queue", "walls", "--why", "the walls are wet").exit_code == 0
    walls = next(queue for queue in lines(desk("queues", "list", "--json")) if queue["queue"] == "walls")
    assert (walls["available"], walls["running"], len(walls["pauses"])) == (1, 1, 1)
    assert walls["oldest_waits_seconds"] >= 0
    told = next(line for line in desk("queues", "list").stdout.splitlines() if line.startswith("walls"))
    assert "PAUSED by pause" in told


def test_queues_tell_their_limits_and_what_of_them_is_in_use(desk, ledger):
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.claimed()
    for limited in (("queue", "walls", "--most", "4"), ("business", "each", "--most", "9")):
        assert desk("limits", "set", *limited, "--why", "it is small").exit_code == 0
    listed = {queue["queue"]: queue["limits"] for queue in lines(desk("queues", "list", "--json"))}
    assert [(each["subject"], each["most"], each["in_flight"]) for each in listed["walls"]] == [
        ("queue", 4, 1),
        ("business", 9, None),
    ]
    assert [each["name"] for each in listed["knocks"]] == ["each"]
    told = desk("queues", "list").stdout.splitlines()
    walls = next(n for n, line in enumerate(told) if line.startswith("walls"))
    assert told[walls + 1].strip() == "queue walls: at most 4 at once (1 in flight)"
    assert [line for line in told if "business" in line] == ["every queue  business each: at most 9 at once"]


def test_every_command_that_the_runbook_names_is_there_with_its_options():
    book = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    told = {tuple(shlex.split(said)) for said in re.findall(r"`nexara ([a-z][^`…]*)`", book)}
    assert len(told) > 25
    for words in told:
        command, rest = main, list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            command = command.get_command(click.Context(command), rest.pop(0))
            assert command is not None, words
        known = {option for each in command.params for option in each.opts}
        assert {word for word in rest if word.startswith("--")} - {"--help"} <= known, words
