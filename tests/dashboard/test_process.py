"""The dashboard as the process that operators start."""

import base64
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sandbox.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address(database):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "nexara", "dashboard"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DASHBOARD_DATABASE_URL": database.dashboard_url,
            "DASHBOARD_PASSWORD": "correct horse",
            "DASHBOARD_PORT": str(port),
            "ENVIRONMENT": "test",
        },
    )
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    process.wait(15)


def fetch(url: str, **headers: str):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def test_it_serves_its_pages_to_who_signs_in_and_says_nothing_of_itself(address):
    until = time.monotonic() + 30
    while True:
        try:
            status, headers, text = fetch(f"{address}/healthz")
            break
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < until, "the dashboard did not start"
            time.sleep(0.1)
    assert (status, text) == (200, "ok\n")
    assert "server" not in headers
    assert fetch(f"{address}/")[0] == 401
    forged = fetch(f"{address}/", **{"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"})
    assert "strict-transport-security" not in forged[1]
    signed_in = "Basic " + base64.b64encode(b"oncall:correct horse").decode()
    status, _, text = fetch(f"{address}/", Authorization=signed_in)
    assert status == 200
    assert "No worker is alive" in text
    assert "Nexara test" in text


def test_it_does_not_start_without_a_password(database):
    done = subprocess.run(
        [sys.executable, "-m", "nexara", "dashboard"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DASHBOARD_DATABASE_URL": database.dashboard_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "Set DASHBOARD_PASSWORD" in done.stderr
    assert "Traceback" not in done.stderr
