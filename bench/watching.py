"""`python -m bench.watching`: somebody on call who keeps three pages open, and opens one more each second.

It is the app in a process of its own, without a network in between: the queries, the rendering, the middleware.
"""

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, cycle

from sqlalchemy import create_engine
from starlette.testclient import TestClient

from bench.contestants import START, Failed
from bench.servers import ROOT, Servers
from dashboard.app import create_app
from dashboard.live import EVERY
from sandbox.child import last_lines
from sandbox.operator import HERE, cookies
from sandbox.program import Program
from settings import read

KEPT_OPEN = ("/", "/jobs", "/queues")
OPENED = ("/", "/jobs?state=available", "/failures", "/queues", "/kinds", "/jobs?kind=bench.nothing", "/schedules")
PART = {"hx-request": "true"}
READY = "watching"


@contextmanager
def watched(servers: Servers) -> Iterator[None]:
    """Have somebody look for as long as the block lasts; raises Failed if they cannot, or stopped looking."""
    log = servers.folder / f"watching-{secrets.token_hex(3)}.log"
    env = servers.environment(DASHBOARD_DATABASE_URL=servers.url("nexara_dashboard"))
    person = Program("watching", [sys.executable, "-m", __name__], env=env, log=log, cwd=ROOT, grace=5)
    person.start()
    try:
        until = time.monotonic() + START
        while READY not in log.read_text(encoding="utf-8", errors="replace"):
            if not person.alive() or time.monotonic() > until:
                raise Failed(f"nobody watches: {last_lines(log, 1).strip()}")
            time.sleep(0.02)
        yield
        if not person.alive():
            raise Failed(f"nobody watches any more: {last_lines(log, 1).strip()}")
    finally:
        person.kill()


def main() -> None:
    """Look, until killed."""
    engine = create_engine(read().dashboard_database_url, connect_args={"prepare_threshold": None})
    app = create_app(engine, environment="bench", secret=secrets.token_bytes(32))
    others = cycle(OPENED)
    with TestClient(app, base_url=HERE, cookies=cookies(app, f"watcher{os.getpid()}")) as browser:
        print(READY, flush=True)
        began = time.monotonic()
        for second in count():
            for path in KEPT_OPEN if second % EVERY == 0 else ():
                _look(browser, path, PART)
            _look(browser, next(others), {})
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))


def _look(browser: TestClient, path: str, headers: dict[str, str]) -> None:
    answer = browser.get(path, headers=headers)
    if answer.status_code != 200:
        sys.exit(f"{path} answered {answer.status_code}")


if __name__ == "__main__":
    main()
