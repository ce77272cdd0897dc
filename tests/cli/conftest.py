"""Commands, run in this process or in one of their own, with the settings of the test and no others."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from ledger.errors import GiveUp
from nexara import main
from sandbox.ports import LOOPBACK
from settings import Settings
from tests.conftest import Database
from tests.ledger.conftest import Ledger, ledger
from tests.ledger.kinds import Paint

__all__ = ["ledger"]
ROOT = Path(__file__).parents[2]
SECRET = "tell-nobody"
NOWHERE = f"postgresql://somebody:{SECRET}@{LOOPBACK}:1/nexara"
KEYS = {
    "deepgram_api_key": "sandbox-deepgram",
    "anthropic_api_key": "sandbox-anthropic",
    "resend_api_key": "sandbox-resend",
    "s3_access_key_id": "sandbox",
    "s3_secret_access_key": "sandbox",
}
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv((field.alias or name).upper(), raising=False)


@pytest.fixture
def run() -> Run:
    """Run a command with these settings."""

    def running(*command: str, **settings: str) -> Result:
        return CliRunner().invoke(main, command, env={name.upper(): value for name, value in settings.items()})

    return running


@pytest.fixture
def desk(run: Run, database: Database) -> Run:
    """Run a command as on-call does."""

    def running(*command: str) -> Result:
        return run(*command, dashboard_database_url=database.dashboard_url)

    return running


def process(command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is a process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "nexara", command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | {name.upper(): v for name, v in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def dead(ledger: Ledger) -> int:
    """Return a job that gave up."""

    def fails(_: object) -> str:
        raise GiveUp("unreadable_recording", "The recording cannot be read.")

    ledger.script.call = fails
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    assert [ended.state for ended in ledger.run()] == ["dead"]
    return job_id
