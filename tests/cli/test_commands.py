"""Every command explains itself, and one that cannot do its work says in one line which setting is to blame."""

from collections.abc import Iterator, Mapping

import click
import psycopg
import pytest
from sqlalchemy import make_url

from nexara import main
from sandbox.ports import LOOPBACK
from tests.cli.conftest import KEYS, NOWHERE, SECRET, Run, process
from tests.conftest import Database

DOCUMENTED = ("up", "demo", "worker", "dispatcher", "scheduler", "dashboard", "migrate", "enqueue", "jobs", "doctor")
DOCUMENTED += ("failures", "operations", "queues", "pauses")


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize("command", [(), *commands(main)], ids=" ".join)
def test_every_command_says_what_it_does_without_any_setting(run: Run, command: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        told = run(*command, flag)
        assert told.exit_code == 0
        assert told.stdout.startswith("Usage: ")
        assert len(told.stdout.splitlines()[2]) > len("  A job.")


def test_the_documented_commands_are_there() -> None:
    assert {(name,) for name in DOCUMENTED} <= set(commands(main))
    assert {command[1] for command in commands(main) if command[:1] == ("jobs",) and command[1:]} == {
        "list",
        "show",
        "retry",
        "retry-now",
        "edit",
        "discard",
        "cancel",
        "snooze",
    }


@pytest.mark.parametrize("name", ["DASHBOARD_PORT", "WORKER_THREADS", "SHUTDOWN_SECONDS", "LOG_FORMAT"])
def test_a_setting_that_cannot_be_is_named_and_not_quoted(run: Run, name: str) -> None:
    told = run("jobs", "list", **{name: SECRET})
    assert told.exit_code == 2
    assert told.stderr.startswith(f"nexara: {name}: ")
    assert SECRET not in told.output


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (("migrate",), ["DATABASE_ADMIN_URL"]),
        (("worker",), ["DATABASE_URL", "REDIS_URL"]),
        (("dispatcher",), ["DATABASE_URL", "REDIS_URL"]),
        (("scheduler",), ["DATABASE_URL"]),
        (("dashboard",), ["DASHBOARD_DATABASE_URL"]),
        (("jobs", "list"), ["DASHBOARD_DATABASE_URL"]),
        (("jobs", "show", "1"), ["DASHBOARD_DATABASE_URL"]),
        (("jobs", "retry", "1"), ["DASHBOARD_DATABASE_URL"]),
        (("jobs", "discard", "1"), ["DASHBOARD_DATABASE_URL"]),
        (("enqueue", "walls.dry", "{}"), ["DASHBOARD_DATABASE_URL"]),
    ],
    ids=" ".join,
)
def test_what_a_command_needs_is_named(run: Run, command: tuple[str, ...], names: list[str]) -> None:
    told = run(*command)
    assert told.exit_code == 2
    assert told.stdout == ""
    for name in names:
        assert name in told.stderr
    assert len(told.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("migrate",), "DATABASE_ADMIN_URL"),
        (("jobs", "list"), "DASHBOARD_DATABASE_URL"),
        (("jobs", "show", "1"), "DASHBOARD_DATABASE_URL"),
        (("jobs", "retry", "1"), "DASHBOARD_DATABASE_URL"),
        (("enqueue", "walls.dry", "{}"), "DASHBOARD_DATABASE_URL"),
    ],
    ids=str,
)
@pytest.mark.parametrize("url", [NOWHERE, f"postgres://a:{SECRET}@h/n", f"nonsense {SECRET}"], ids=["", "old", "bad"])
def test_a_database_that_does_not_answer_is_one_line_that_names_its_setting(
    run: Run, command: tuple[str, ...], setting: str, url: str
) -> None:
    told = run(*command, **{setting: url})
    assert told.exit_code == 2
    assert told.stderr.startswith(f"nexara: {setting}: ")
    assert len(told.stderr.splitlines()) == 1
    assert SECRET not in told.output


@pytest.mark.parametrize("command", ["worker", "dispatcher", "scheduler"])
def test_a_process_whose_database_does_not_answer_does_not_start(command: str) -> None:
    told = process(command, database_url=NOWHERE, redis_url=f"redis://{LOOPBACK}:1", **KEYS)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "nexara: DATABASE_URL: no server listens there\n"


@pytest.mark.parametrize(
    ("command", "settings", "said"),
    [
        ("worker", {"redis_url": f"h:{SECRET}"}, "REDIS_URL: it is not written as redis://"),
        ("worker", {"worker_queues": "transcripton"}, "WORKER_QUEUES names transcripton; there are "),
        ("dispatcher", {"redis_url": f"http://:{SECRET}@h"}, "REDIS_URL: it is not written as redis://"),
        ("dashboard", {"dashboard_database_url": NOWHERE}, "DASHBOARD_DATABASE_URL: no server listens there"),
    ],
    ids=str,
)
def test_a_process_with_a_wrong_setting_names_it_and_does_not_start(
    run: Run, command: str, settings: Mapping[str, str], said: str
) -> None:
    told = run(command, **{"database_url": NOWHERE, "redis_url": "redis://h", **KEYS, **settings})
    assert told.exit_code == 2
    assert told.stderr.startswith(f"nexara: {said}")
    assert len(told.stderr.splitlines()) == 1
    assert SECRET not in told.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"log_level": "LOUD"}, "LOG_LEVEL is one of "), ({"sentry_dsn": SECRET}, "SENTRY_DSN is no DSN of Sentry's")],
    ids=["log", "sentry"],
)
def test_a_process_that_could_tell_nobody_does_not_start(settings: Mapping[str, str], said: str) -> None:
    told = process("scheduler", **{"database_url": NOWHERE, **settings})
    assert told.returncode == 2
    assert told.stderr.startswith(f"nexara: {said}")
    assert len(told.stderr.splitlines()) == 1
    assert SECRET not in told.stderr


@pytest.mark.parametrize("key", KEYS)
def test_a_worker_without_a_key_names_it_before_it_takes_a_job(run: Run, key: str) -> None:
    told = run("worker", database_url=NOWHERE, redis_url="redis://h", **{**KEYS, key: ""})
    assert told.exit_code == 2
    assert told.stderr == f"nexara: {key.upper()} is not set\n"


def test_migrating_twice_is_as_good_as_once_and_sets_the_passwords(
    run: Run, empty_database: str, role_passwords: dict[str, str]
) -> None:
    settings = {"database_admin_url": empty_database}
    settings |= {f"{role}_password": password for role, password in role_passwords.items()}
    for _ in range(2):
        told = run("migrate", **settings)
        assert (told.exit_code, told.output) == (0, "The database is at this release.\n")
    for role, password in role_passwords.items():
        url = make_url(empty_database).set(drivername="postgresql", username=role, password=password)
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_a_role_that_may_not_migrate_is_told_so(run: Run, database: Database) -> None:
    told = run("migrate", database_admin_url=database.worker_url, nexara_web_password=SECRET)
    assert told.exit_code == 2
    assert told.stderr == "nexara: DATABASE_ADMIN_URL: its role may not do this\n"


def test_a_wrong_password_is_told_and_not_shown(run: Run, database: Database) -> None:
    url = make_url(database.admin_url).set(password=SECRET).render_as_string(hide_password=False)
    told = run("migrate", database_admin_url=url)
    assert (told.exit_code, told.stderr) == (2, "nexara: DATABASE_ADMIN_URL: the password is wrong\n")
    gone = make_url(database.admin_url).set(database="gone").render_as_string(hide_password=False)
    told = run("migrate", database_admin_url=gone)
    assert (told.exit_code, told.stderr) == (2, "nexara: DATABASE_ADMIN_URL: there is no such database or role\n")
