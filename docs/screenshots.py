"""`python -m docs.screenshots`: what Chromium shows of a made-up ledger, into docs/screenshots or a folder given."""

import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from sqlalchemy import Connection, Engine, create_engine
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.app import create_app
from docs.demo_ledger import beat, fill
from migrations.apply import migrate
from sandbox.operator import cookies
from sandbox.ports import free_port
from sandbox.postgres import Postgres

FOLDER = Path(__file__).resolve().parent / "screenshots"
DESKTOP, PHONE = 1280, 390
DEAD = "SELECT max(id) FROM ledger.jobs WHERE state = 'dead' AND kind = 'leads.extract'"
RUNNING = "SELECT min(id) FROM ledger.jobs WHERE state = 'running' AND progress IS NOT NULL"
PAGES = (
    # the file's name, the address, and how high the page is on a desk and on a phone
    ("overview", "/", 1500, 2600),
    ("jobs", "/jobs?state=retryable", 660, 1750),
    ("job", f"/jobs/{{{DEAD}}}", 1250, 2200),
    ("running", f"/jobs/{{{RUNNING}}}", 800, 1300),
    ("queues", "/queues", 950, 1700),
    ("kinds", "/kinds", 850, 2400),
    ("kind", "/kinds/recordings.transcribe", 950, 1400),
    ("schedules", "/schedules", 1300, 2600),
    ("schedule", "/schedules/recovery", 1700, 2600),
    ("failures", "/failures", 900, 2000),
    ("error", "/jobs/1", 420, 520),
)
KEPT = {
    ("overview", DESKTOP, False),
    ("overview", PHONE, True),
    ("jobs", DESKTOP, False),
    ("job", DESKTOP, True),
    ("job", PHONE, False),
    ("queues", DESKTOP, False),
    ("kind", DESKTOP, True),
}
"""Those that belong to the documentation: page, width, whether dark."""


class SignedIn:
    """Adds to each request the cookies of a browser that is signed in."""

    def __init__(self, app: ASGIApp, kept: dict[str, str]) -> None:
        self._app = app
        self._cookie = "; ".join(f"{name}={value}" for name, value in kept.items()).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], (b"cookie", self._cookie)]}
        await self._app(scope, receive, send)


def main(folder: Path, *, everything: bool) -> None:
    """Take the pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium here: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nexara-shots-") as place:
        server = Postgres(Path(place) / "postgres")
        server.start()
        try:
            password = secrets.token_hex(8)
            migrate(server.admin_url, {"nexara_dashboard": password})
            admin = create_engine(server.admin_url)
            fill(admin)
            engine = create_engine(server.url("postgres", "nexara_dashboard", password))
            app = create_app(engine, environment="demo", secret=secrets.token_bytes(32))
            with admin.connect() as db:
                pages = [(name, _filled(db, path), high, higher) for name, path, high, higher in PAGES]
            done = threading.Event()
            beating = threading.Thread(target=_beat_until, args=(admin, done), daemon=True)
            beating.start()
            _shoot(chromium, SignedIn(app, cookies(app)), pages, folder, Path(place), everything=everything)
            done.set()
            beating.join()
            admin.dispose()
            engine.dispose()
        finally:
            server.stop("immediate")


def _beat_until(admin: Engine, done: threading.Event) -> None:
    while not done.wait(1.0):
        beat(admin)


def _filled(db: Connection, path: str) -> str:
    """Return an address, with the answer to the question that stands in it."""
    before, question, _ = re.split(r"[{}]", path) if "{" in path else (path, "", "")
    return f"{before}{db.exec_driver_sql(question).scalar()}" if question else before


def _shoot(
    chromium: str, app: ASGIApp, pages: list[tuple[str, str, int, int]], folder: Path, place: Path, *, everything: bool
) -> None:
    port = free_port()
    served = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    while not served.started:
        time.sleep(0.05)
    for name, path, high, higher in pages:
        for width, height in ((DESKTOP, high), (PHONE, higher)):
            for dark in (False, True):
                if everything or (name, width, dark) in KEPT:
                    file = folder / f"{name}{'-phone' if width == PHONE else ''}{'-dark' if dark else ''}.png"
                    _picture(chromium, f"http://127.0.0.1:{port}{path}", file, (width, height), place, dark=dark)
    served.should_exit = True
    thread.join(10)


def _picture(chromium: str, url: str, file: Path, size: tuple[int, int], place: Path, *, dark: bool) -> None:
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tempfile.mkdtemp(dir=place)}",
        f"--screenshot={file}",
        f"--window-size={size[0]},{size[1]}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        "--virtual-time-budget=1500",
        url,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own command
    print(file.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, everything=len(sys.argv) > 1)
