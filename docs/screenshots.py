"""`python -m docs.screenshots`: what Chromium shows of a made-up ledger, into docs/screenshots or a folder given."""

import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser
from sqlalchemy import Engine, create_engine

from dashboard.app import create_app
from docs.chromium import MISSING, browsing, find, served
from docs.demo_ledger import act_by_hand, beat, fill
from docs.demo_pages import OF_OFFICER, addresses
from migrations.apply import migrate
from sandbox.operator import cookies
from sandbox.postgres import Postgres

Scheme = Literal["light", "dark"]
FOLDER = Path(__file__).resolve().parent / "screenshots"
WIDTHS = {"": 1280, "-phone": 390}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
ERROR = "/jobs/1"
SIGN_IN = "/sign-in"
KEPT = (
    *("overview", "overview-phone-dark", "failures", "failure-dark", "operate", "operation-phone"),
    *("jobs", "job-dark", "job-phone", "queues", "kind-dark", "audit"),
)
"""Those that belong to the documentation: page, width, scheme."""


def main(folder: Path, *, everything: bool) -> None:
    """Take the pictures."""
    chromium = find()
    if chromium is None:
        sys.exit(f"No pictures: {MISSING}.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nexara-shots-") as place, _ledger(Path(place)) as (admin, engine):
        fill(admin)
        act_by_hand(admin, engine)
        app = create_app(engine, environment="demo", secret=secrets.token_bytes(32))
        with admin.connect() as db:
            shown = {name: path for name, path in addresses(db).items() if name not in OF_OFFICER}
            pages = {**shown, "error": ERROR}
        with _beating(admin), served(app) as here, browsing(chromium) as browser:
            signed_in = cookies(app)
            for ending, width in WIDTHS.items():
                for scheme in SCHEMES:
                    wanted = {
                        page: folder / f"{name}.png"
                        for page in [*pages, "sign-in"]
                        if (name := f"{page}{ending}{'-dark' if scheme == 'dark' else ''}") in KEPT or everything
                    }
                    _shoot(browser, here, {**pages, "sign-in": SIGN_IN}, wanted, signed_in, width, scheme)


@contextmanager
def _ledger(place: Path) -> Iterator[tuple[Engine, Engine]]:
    """Lend a fresh ledger: as a superuser's engine, and as the dashboard's own."""
    server = Postgres(place / "postgres")
    server.start()
    try:
        password = secrets.token_hex(8)
        migrate(server.admin_url, {"nexara_dashboard": password})
        admin, engine = (
            create_engine(url) for url in (server.admin_url, server.url("postgres", "nexara_dashboard", password))
        )
        yield admin, engine
        admin.dispose()
        engine.dispose()
    finally:
        server.stop("immediate")


@contextmanager
def _beating(admin: Engine) -> Iterator[None]:
    done = threading.Event()

    def beats() -> None:
        while not done.wait(1.0):
            beat(admin)

    thread = threading.Thread(target=beats, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _shoot(
    browser: Browser,
    here: str,
    pages: dict[str, str],
    wanted: dict[str, Path],
    signed_in: dict[str, str],
    width: int,
    scheme: Scheme,
) -> None:
    context = browser.new_context(
        base_url=here, viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    known = [{"name": name, "value": value, "url": here} for name, value in signed_in.items()]
    for name, file in wanted.items():
        context.clear_cookies()
        if pages[name] != SIGN_IN:
            context.add_cookies(known)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(pages[name])
        page.wait_for_load_state("networkidle")
        page.screenshot(path=file, full_page=True)
        page.close()
        print(file.name)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, everything=len(sys.argv) > 1)
