"""The compose file on this machine: its commands and settings, with the tests' servers for its containers."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.ports import LOOPBACK

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 40.0  # seconds for a process to come up, on a machine that runs other tests too


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """Fill in ${NAME}, ${NAME:-otherwise} and ${NAME:?why}, nested too, as Compose does."""
    start = text.find("${")
    if start < 0:
        return text
    end = closing(text, start)
    parts = re.fullmatch(r"(\w+)(?:(:-|:\?)(.*))?", text[start + 2 : end], flags=re.DOTALL)
    assert parts is not None, text
    name, operator, rest = parts.groups()
    if operator == ":?" and not values.get(name):
        raise LookupError(f"{name}: {rest}")
    filled = values.get(name) or (interpolate(rest, values) if operator == ":-" else "")
    return text[:start] + filled + interpolate(text[end + 1 :], values)


def closing(text: str, start: int) -> int:
    """Return where the brace that opens at `start` + 1 closes."""
    depth = 0
    for place in range(start, len(text)):
        depth += text.startswith("${", place)
        depth -= text[place] == "}"
        if depth == 0:
            return place
    raise AssertionError(text)


def variables(text: str) -> set[str]:
    """Return the names of the variables in a text."""
    return set(re.findall(r"\$\{([A-Z0-9_]+)", text))


class Started:
    """A service's command as a process of this machine, with its environment and nothing else."""

    def __init__(self, name: str, argv: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("wb") as out:
            self.process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def events(self) -> list[str]:
        return [json.loads(line).get("event", "") for line in self.said.splitlines() if line.startswith("{")]

    def wait_for(self, event: str) -> None:
        self.until(lambda: event in self.events(), event)

    def until(self, up: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not up():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{self.name}: no {what}; it said:\n{self.said[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()


class Project:
    """The compose file on this machine: the same commands and settings, the tests' servers for its containers."""

    def __init__(self, services: dict[str, Any], values: dict[str, str], here: dict[str, str], logs: Path) -> None:
        self.services, self.values, self.here, self.logs = services, values, here, logs
        self.started: list[Started] = []

    def environment(self, name: str) -> dict[str, str]:
        given = {key: self.on_this_machine(str(value)) for key, value in self.services[name]["environment"].items()}
        if name == "dashboard":
            given |= {"DASHBOARD_HOST": LOOPBACK, "DASHBOARD_PORT": self.here["dashboard"]}
        return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **given}

    def on_this_machine(self, value: str) -> str:
        filled = interpolate(value, self.values)
        for there, here in self.here.items():
            filled = filled.replace(there, here) if ":" in there else filled
        return filled

    def start(self, name: str) -> Started:
        service = self.services[name]
        entrypoint = service.get("entrypoint", ["python", "-m", "nexara"])
        argv = [*entrypoint, *service["command"]]
        argv[0] = sys.executable if argv[0] == "python" else argv[0]
        self.started.append(Started(name, argv, self.environment(name), self.logs / f"{name}.log"))
        return self.started[-1]

    def run(self, name: str) -> None:
        once = self.start(name)
        assert once.process.wait(PATIENCE) == 0, once.said

    def health(self, name: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run a service's own health check, or the image's, as its container would."""
        image = ["CMD", "python", "-m", "workers.health"]
        asked = self.services[name].get("healthcheck", {}).get("test", image)
        here = [part.replace("127.0.0.1:8300", f"{LOOPBACK}:{self.here['dashboard']}") for part in asked[2:]]
        return subprocess.run(
            [sys.executable, *here],
            cwd=ROOT,
            env=self.environment(name) | changed,
            capture_output=True,
            text=True,
            check=False,
        )
