"""How heavy a worker is: a vendor's SDK is loaded when its first job runs, and not before."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from jobs.registry import load
from ledger import clock
from ledger.enqueue import enqueue
from models.accounts import Business
from sandbox.child import Child
from tests.conftest import Database
from tests.workers.conftest import in_thread, until
from workers.bell import Bell, connect
from workers.dispatcher import Dispatcher
from workers.wiring import engine

ROOT = Path(__file__).parents[2]
SDKS = [
    "apscheduler.schedulers",
    "anthropic",
    "deepgram",
    "resend",
    "boto3",
    "botocore",
    "httpx",
    "httpx2",
    "requests",
    "twilio",
    "phonenumbers",
]
HOUSE = UUID(int=0)
MOST = 100_000_000
KEYS = {
    "DEEPGRAM_API_KEY": "none",
    "ANTHROPIC_API_KEY": "none",
    "RESEND_API_KEY": "none",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "S3_ACCESS_KEY_ID": "none",
    "S3_SECRET_ACCESS_KEY": "none",
}
# The real command, which says at a signal what it has loaded.
WORKER = f"""
import json, os, signal, sys
from pathlib import Path

def say(*_):
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    loaded = sorted(set({SDKS!r}) & sys.modules.keys())
    Path("weight.new").write_text(json.dumps({{"loaded": loaded, "bytes": pages * os.sysconf("SC_PAGESIZE")}}))
    Path("weight.new").rename("weight.json")

signal.signal(signal.SIGUSR1, say)
from nexara import main
main(["worker"])
"""


@pytest.fixture
def worker(database: Database, redis_url: str, tmp_path: Path) -> Iterator[Child]:
    env = {
        **{key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ},
        **KEYS,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database.worker_url,
        "REDIS_URL": redis_url,
        # What one of them enqueues, and asks a vendor, waits.
        "WORKER_QUEUES": ",".join({job.payload.terms.queue for job in load() if not job.payload.terms.vendors}),
    }
    child = Child([sys.executable, "-c", WORKER], env=env, log=tmp_path / "worker.log", cwd=tmp_path)
    yield child
    child.stop(signal.SIGTERM, 10)


@pytest.fixture
def dispatching(database: Database, redis_url: str) -> Iterator[None]:
    client, stopping, ledger = connect(redis_url), Event(), engine(database.worker_url, 2)
    dispatcher = Dispatcher(ledger, Bell(client), "")

    def rounds() -> None:
        while not stopping.wait(0.05):
            dispatcher._round()

    with in_thread(rounds, stopping.set):
        yield
    dispatcher._at_once.close()
    ledger.dispose()
    client.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="a process's memory is read from /proc")
@pytest.mark.usefixtures("dispatching")
def test_a_worker_that_asked_no_vendor_has_loaded_none_and_holds_at_most_a_hundred_megabytes(
    database: Database, worker: Child, tmp_path: Path
) -> None:
    business = uuid4()
    ids = {name: uuid4() for name in ("conversation_id", "operation_id", "erasure_id")}
    asked = {"as_of": clock.now(), "business_id": business, "confirm": False, **ids}
    payloads = [
        job.payload(**{name: asked[name] for name in job.payload.model_fields})
        for job in load()
        if not job.payload.terms.vendors
    ]
    assert len(payloads) == 11
    web, admin = engine(database.web_url, 1), create_engine(database.admin_url)
    with Session(web) as db, db.begin():
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": business})
        db.add(Business(id=business, name="A house", industry="walls", country="GB", zone="UTC"))
    with Session(web) as db, db.begin():
        for payload in payloads:
            of_house = set(type(payload).model_fields) <= {"as_of", "operation_id"}
            enqueue(db, payload, business_id=HOUSE if of_house else business)

    def ended() -> dict[str, str]:
        with admin.begin() as db:
            rows = db.execute(text("SELECT kind, state FROM ledger.jobs WHERE finished_at IS NOT NULL"))
            return {row.kind: row.state for row in rows}

    until(lambda: len(ended()) >= len(payloads), 60)
    assert set(ended().values()) <= {"succeeded", "cancelled"}, "each has run"
    os.kill(worker.pid, signal.SIGUSR1)
    until((tmp_path / "weight.json").exists)
    weight = json.loads((tmp_path / "weight.json").read_text())
    print(f"{weight['bytes'] / 1e6:.1f} MB")
    assert weight["loaded"] == []
    assert weight["bytes"] <= MOST
    web.dispose()
    admin.dispose()
