"""The production files: what they promise, and each service's command started for real with its own environment."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from sandbox.ports import LOOPBACK, free_port, is_open
from sandbox.storage import Storage
from settings import Settings
from tests.composed import PATIENCE, ROOT, Project, interpolate, variables

ENGINE = ("migrate", "bucket", "dispatcher", "worker", "scheduler", "dashboard")
PROCESSES = ("dispatcher", "worker", "scheduler", "dashboard")
SERVERS = ("postgres", "redis", "store")
MAY_BE_MISSING = {
    *("DASHBOARD_PASSWORD", "DASHBOARD_OIDC_CLIENT_SECRET"),
    *("TWILIO_API_KEY", "TWILIO_API_SECRET", "TELNYX_API_KEY", "VAPI_API_KEY", "ELEVENLABS_API_KEY"),
    *("DIALOG360_API_KEY", "GOOGLE_CLIENT_SECRET", "GOOGLE_TOKEN_KEYS", "SUPABASE_SECRET_KEY", "LEMON_SQUEEZY_API_KEY"),
}
"""The first admin's, once there are operators; a provider's that there need not be; vendors' that not all use."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return loaded


def test_every_variable_is_explained_in_the_example_and_nothing_else_is() -> None:
    wanted = variables((ROOT / "docker-compose.yml").read_text())
    example = (ROOT / ".env.example").read_text()
    offered = set(re.findall(r"^#? ?([A-Z0-9_]+)=", example, flags=re.MULTILINE))
    with_good_defaults = {"RELEASE", "LOG_LEVEL", "WORKER_THREADS", "WORKER_QUEUES", "SHUTDOWN_SECONDS"}
    assert wanted - offered == with_good_defaults
    assert offered <= wanted


def test_no_secret_is_in_the_files_and_each_missing_one_is_named() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for line in text.splitlines():
        name, _, value = line.strip().partition(": ")
        if re.search(r"PASSWORD|SECRET|KEY", name) and value:
            assert value.startswith("${"), line
            assert ":?set " in value or name in MAY_BE_MISSING, line
    with pytest.raises(LookupError, match=r"^ANTHROPIC_API_KEY: set ANTHROPIC_API_KEY in \.env$"):
        interpolate("${ANTHROPIC_API_KEY:?set ANTHROPIC_API_KEY in .env}", {})


def test_the_engines_services_take_only_settings_there_are(services: dict[str, Any]) -> None:
    known = {(field.alias or name).upper() for name, field in Settings.model_fields.items()}
    for name in ENGINE:
        assert set(services[name]["environment"]) <= known, name


def test_only_migrate_may_be_superuser_and_no_process_gets_more_than_it_needs(services: dict[str, Any]) -> None:
    has = {name: set(services[name]["environment"]) for name in ENGINE}
    assert [name for name in ENGINE if "DATABASE_ADMIN_URL" in has[name]] == ["migrate"]
    assert [name for name in ENGINE if "DEEPGRAM_API_KEY" in has[name]] == ["worker"]
    assert "DATABASE_URL" not in has["dashboard"]
    assert "DASHBOARD_PASSWORD" not in has["worker"]


def test_every_service_is_restarted_watched_and_pinned(services: dict[str, Any]) -> None:
    assert set(services) == {*ENGINE, *SERVERS}
    for name, service in services.items():
        assert service["restart"] in ("unless-stopped", "on-failure:5"), name
        assert service["logging"]["options"]["max-size"], name
        assert set(service.get("depends_on", {})) <= set(services), name
    for name in SERVERS:
        assert services[name]["healthcheck"]["test"], name
        assert re.search(r":v?\d", services[name]["image"]), name
    assert "noeviction" in services["redis"]["command"]


def test_a_worker_gets_more_time_to_stop_than_it_gives_its_jobs(services: dict[str, Any]) -> None:
    seconds = int(interpolate(services["worker"]["environment"]["SHUTDOWN_SECONDS"], {}))
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > seconds + 5


def test_the_image_runs_as_nobody_checks_hashes_and_copies_what_there_is() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001" in lines
    assert any("--require-hashes" in line for line in lines)
    assert not any(re.search(r"PASSWORD|SECRET|KEY|TOKEN", line) for line in lines)
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for path in (path for group in copied for path in group):
        assert (ROOT / path).exists(), path
        assert path in allowed, path
    assert "sandbox" not in allowed
    assert "tests" not in allowed


@pytest.fixture
def project(
    services: dict[str, Any],
    empty_database: str,
    redis_url: str,
    storage: Storage,
    role_passwords: dict[str, str],
    tmp_path: Path,
) -> Iterator[Project]:
    database = make_url(empty_database)
    values = {name: f"sandbox-{name.lower()}" for name in variables((ROOT / ".env.example").read_text())}
    values |= {f"{role.upper()}_PASSWORD": password for role, password in role_passwords.items()}
    values |= {
        "POSTGRES_PASSWORD": str(database.password),
        "S3_ACCESS_KEY_ID": "sandbox",
        "S3_SECRET_ACCESS_KEY": "sandbox",
        "S3_BUCKET": f"compose-{os.getpid()}",
        "DEEPGRAM_API_KEY": "sandbox",
        "ANTHROPIC_API_KEY": "sandbox",
        "RESEND_API_KEY": "re_sandbox",
        "MAIL_FROM": "Nexara <alerts@nexara.test>",
        "PUBLIC_URL": "https://app.nexara.test",
        "DASHBOARD_PASSWORD": "sandbox-password",
    }
    here = {
        "//postgres:": f"//{database.username}:",
        "@postgres:5432/nexara": f"@{database.host}:{database.port}/{database.database}",
        "redis://redis:6379/0": redis_url,
        "http://store:7070": storage.url,
        "dashboard": str(free_port()),
    }
    made = Project(services, values, here, tmp_path)
    yield made
    for started in made.started:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()


def test_every_services_command_starts_says_so_and_stops_in_order(project: Project) -> None:
    project.run("migrate")
    project.run("migrate")  # as each `docker compose up` does
    project.run("bucket")
    project.run("bucket")

    running = {name: project.start(name) for name in PROCESSES}
    for name in ("dispatcher", "worker", "scheduler"):
        running[name].wait_for(f"{name}.started")
    port = int(project.here["dashboard"])
    running["dashboard"].until(lambda: is_open(port), "open port")

    admin = make_url(project.environment("migrate")["DATABASE_ADMIN_URL"]).set(drivername="postgresql")
    with psycopg.connect(admin.render_as_string(hide_password=False)) as db:
        beats = db.execute("SELECT threads FROM ledger.workers WHERE heartbeat_at > now() - interval '6 s'").fetchall()
        assert beats == [(8,)]
    for name in PROCESSES:
        checked = project.health(name)
        assert checked.returncode == 0, checked.stderr
    silent = project.health("worker", REDIS_URL=f"redis://{LOOPBACK}:{free_port()}/0")
    assert (silent.returncode, silent.stderr) == (1, "no answer from REDIS_URL\n")

    for name, started in running.items():
        assert started.stop() == 0, f"{name}:\n{started.said[-3000:]}"
    for started in running.values():
        assert "Traceback" not in started.said
        for secret in (*project.values.values(),):
            assert not (len(secret) > 20 and secret in started.said)


def test_a_worker_without_a_key_says_which_and_does_not_start(project: Project) -> None:
    del project.services["worker"]["environment"]["DEEPGRAM_API_KEY"]
    worker = project.start("worker")
    assert worker.process.wait(PATIENCE) == 2
    assert "DEEPGRAM_API_KEY" in worker.said
