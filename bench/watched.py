"""What it costs the drain that people look: four pages that follow, and one more opened every second."""

import itertools
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx

from bench.contestants import START, Contestant, Failed
from bench.drain import drained, warmed
from bench.line import Bench, Value
from sandbox.child import last_lines
from sandbox.operator import NAME, TOKEN
from sandbox.ports import free_port
from sandbox.program import Program

PASSWORD = "watched by nobody in particular"
FOLLOWED = ("/", "/jobs", "/queues", "/failures")
"""Pages that stay open: each asks again for its changing part."""
OPENED = ("/jobs?state=dead", "/kinds", "/jobs?kind=nothing", "/", "/schedules", "/audit")
FOLLOW_EVERY = 5.0  # seconds, as the pages do
OPEN_EVERY = 1.0  # seconds


def draining(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the percentage of the unwatched drain's rate that is left while people look, with many finished rows."""
    count = bench.sizes.large
    with engine.running():
        engine.ask("finished", count=bench.sizes.finished)
        with _dashboard(bench) as address:
            warmed(engine, "nothing", count)
            alone = drained(engine, "nothing", count)
            with _watched(address):
                seen = drained(engine, "nothing", count)
    return [100 * alone / seen]


@contextmanager
def _dashboard(bench: Bench) -> Iterator[str]:
    """Keep the dashboard's own process for as long as the block lasts."""
    port = free_port()
    program = Program(
        "dashboard",
        [sys.executable, "-m", "nexara", "dashboard"],
        env=bench.servers.environment(
            DASHBOARD_DATABASE_URL=bench.servers.url("nexara_dashboard"),
            DASHBOARD_USER=NAME,
            DASHBOARD_PASSWORD=PASSWORD,
            DASHBOARD_PORT=str(port),
        ),
        log=bench.servers.folder / "dashboard.log",
    )
    program.start()
    address = f"http://127.0.0.1:{port}"
    try:
        since = time.monotonic()
        while not _answers(address):
            if not program.alive() or time.monotonic() - since > START:
                raise Failed(f"`nexara dashboard` did not start: {last_lines(program.log, 1)}")
            time.sleep(0.1)
        yield address
    finally:
        program.kill()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@contextmanager
def _watched(address: str) -> Iterator[None]:
    """Look at the pages for as long as the block lasts; from the first page on."""
    opened: list[str] = []
    over = threading.Event()
    with httpx.Client(base_url=address, headers={"origin": address}, timeout=30, trust_env=False) as browser:
        _sign_in(browser)

        def look() -> None:
            others = itertools.cycle(OPENED)
            follow_at = 0.0
            while not over.is_set():
                if time.monotonic() >= follow_at:
                    follow_at = time.monotonic() + FOLLOW_EVERY
                    for page in FOLLOWED:
                        browser.get(page, headers={"HX-Request": "true"}).raise_for_status()
                        opened.append(page)
                browser.get(page := next(others)).raise_for_status()
                opened.append(page)
                over.wait(OPEN_EVERY)

        failed: list[httpx.HTTPError] = []

        def looking() -> None:
            try:
                look()
            except httpx.HTTPError as error:
                failed.append(error)

        thread = threading.Thread(target=looking)
        thread.start()
        try:
            while not opened and thread.is_alive():
                time.sleep(0.01)
            yield
        finally:
            over.set()
            thread.join()
    if failed:
        raise Failed(f"a page could not be opened: {failed[0]}")


def _sign_in(browser: httpx.Client) -> None:
    found = TOKEN.search(browser.get("/sign-in").text)
    if found is None:
        raise Failed("the sign-in form has no token")
    answer = browser.post("/sign-in", data={"token": found[1], "name": NAME, "password": PASSWORD})
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise Failed(f"signing in was answered with {answer.status_code}")
