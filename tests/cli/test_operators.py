"""`nexara operators`, and the audit of what is done at the command line."""

import json
from uuid import uuid4

from click.testing import CliRunner

from ledger.passwords import matches
from nexara import main
from tests.cli.conftest import Run
from tests.conftest import Database
from tests.ledger.conftest import Ledger

PASSWORD = "a horse in the rain"


def given(database: Database, *command: str, password: str = PASSWORD):
    """Run a command that reads a password."""
    env = {"DASHBOARD_DATABASE_URL": database.dashboard_url}
    return CliRunner().invoke(main, [*command, "--password-stdin"], env=env, input=f"{password}\n")


def audited(ledger: Ledger):
    return ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a ORDER BY id DESC LIMIT 1")


def test_operators_are_added_listed_changed_and_disabled(ledger: Ledger, database: Database, desk: Run) -> None:
    assert "makes the first" in desk("operators", "list").output
    told = given(database, "operators", "add", "Kim", "--role", "admin", "--who", "ada", "--why", "on call from May on")
    assert (told.exit_code, told.output) == (0, "Kim may sign in as admin\n")
    stored = ledger.sql("SELECT password FROM ledger.operators WHERE name = 'kim'")
    assert matches(stored, PASSWORD)
    row = audited(ledger)
    assert (row["who"], row["role"], row["action"], row["why"]) == (
        "ada",
        "cli",
        "operators.add",
        "on call from May on",
    )
    given(database, "operators", "add", "jo", "--role", "viewer")
    assert desk("operators", "role", "jo", "operator").output == "jo is operator\n"
    assert (audited(ledger)["before"], audited(ledger)["after"]) == ({"role": "viewer"}, {"role": "operator"})
    given(database, "operators", "password", "jo", password="another horse in the sun")
    assert matches(ledger.sql("SELECT password FROM ledger.operators WHERE name = 'jo'"), "another horse in the sun")
    desk("operators", "disable", "jo")
    listed = [json.loads(line) for line in desk("operators", "list", "--json").output.splitlines()]
    assert [(one["name"], one["role"], bool(one["disabled_at"])) for one in listed] == [
        ("kim", "admin", False),
        ("jo", "operator", True),
    ]
    assert PASSWORD not in desk("operators", "list").output
    desk("operators", "disable", "jo", "--undo")
    assert "disabled" not in desk("operators", "list").output


def test_what_cannot_be_is_one_clear_line_and_no_row(ledger: Ledger, database: Database, desk: Run) -> None:
    given(database, "operators", "add", "kim", "--role", "admin")
    for told, said in (
        (given(database, "operators", "add", "kim", "--role", "viewer"), "already"),
        (given(database, "operators", "add", "jo", "--role", "viewer", password="short"), "12 characters"),
        (given(database, "operators", "add", "jo", "--role", "viewer", password=""), "give a password"),
        (given(database, "operators", "password", "nobody"), "there is no operator nobody"),
        (desk("operators", "disable", "kim"), "last admin"),
        (desk("operators", "role", "kim", "viewer"), "last admin"),
        (desk("operators", "role", "kim", "cli"), "not one of"),
    ):
        assert told.exit_code == 2
        assert said in told.output
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == 1


def test_what_is_done_by_hand_is_audited_with_who_and_why(ledger: Ledger, desk: Run, dead: int) -> None:
    desk("jobs", "retry", str(dead), "--who", "kim", "--why", "the vendor is back")
    row = audited(ledger)
    assert (row["who"], row["role"], row["action"], row["jobs"]) == ("kim", "cli", "jobs.retry", [dead])
    assert (row["before"]["state"], row["after"]["state"]) == ("dead", "available")
    desk("jobs", "snooze", str(dead), "--minutes", "5")
    assert audited(ledger)["action"] == "jobs.snooze"
    assert audited(ledger)["who"]
    desk("jobs", "cancel", str(dead))
    desk("jobs", "discard", str(dead))
    pause = desk("pauses", "add", "--queue", "mail", "--why", "the vendor asked").output.split()[1]
    assert audited(ledger)["about"] == {"pause": int(pause), "queue": "mail"}
    desk("pauses", "end", pause, "--why", "it is back")
    assert (audited(ledger)["action"], audited(ledger)["why"]) == ("pauses.end", "it is back")
    business = str(ledger.business)
    desk("keys", "create", business, "--name", "shop", "--scope", "jobs:read")
    key = audited(ledger)["about"]["key"]
    assert audited(ledger)["about"]["business_id"] == business
    desk("keys", "rotate", key)
    desk("keys", "revoke", key)
    told = desk("enqueue", "walls.dry", json.dumps({"wall_id": str(uuid4())}), "--json")
    assert audited(ledger)["jobs"] == [json.loads(told.stdout)["id"]]
    done = ledger.sql("SELECT array_agg(action ORDER BY id) FROM ledger.audit")
    assert done == [
        *("jobs.retry", "jobs.snooze", "jobs.cancel", "jobs.discard", "pauses.add", "pauses.end"),
        *("keys.create", "keys.rotate", "keys.revoke", "jobs.enqueue"),
    ]


def test_what_is_refused_by_hand_leaves_no_row_and_changes_nothing(ledger: Ledger, desk: Run, dead: int) -> None:
    told = desk("jobs", "retry", str(dead), "--why", "for jo@example.com")
    assert told.exit_code == 1
    assert "names nobody" in told.output
    told = desk("pauses", "add", "--queue", "mail", "--why", "ask +49 151 12345678")
    assert told.exit_code == 2
    assert "names nobody" in told.output
    told = desk(
        "keys", "create", str(ledger.business), "--name", "shop", "--scope", "jobs:read", "--why", "for jo@example.com"
    )
    assert "names nobody" in told.output
    assert "nxk_" not in told.output
    for table in ("audit", "pauses", "api_keys"):
        assert ledger.sql(f"SELECT count(*) FROM ledger.{table}") == 0
    assert ledger.job(dead).state == "dead"
