"""Workers that die while they erase: each is killed where a lock, a vendor or a store keeps what it does."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

from lifecycle.receipt import broken
from models.erasures import Receipt
from providers.s3 import Objects
from sandbox.vendors.holders import APPS
from sandbox.vendors.running import running
from tests.chaos.held import Hold
from tests.chaos.vendors import get, post, requests
from tests.chaos.world import Process, World

HOLDERS = ("twilio", "supabase")
KEYS = {
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_API_KEY": "sandbox-twilio",
    "TWILIO_API_SECRET": "secret",
    "SUPABASE_SECRET_KEY": "sandbox-supabase",
}
WORKERS = "FROM pg_stat_activity WHERE usename = 'nexara_worker'"
BLOCKED = f"""
SELECT count(*) {WORKERS} AND query LIKE :query AND EXISTS (
  SELECT FROM pg_stat_activity us
  WHERE us.pid = ANY (pg_blocking_pids(pg_stat_activity.pid)) AND us.usename = 'postgres' AND us.state LIKE 'idle%')
"""
ORPHANED = f"SELECT pg_terminate_backend(pid) {WORKERS} AND wait_event_type = 'Lock'"
IN_TRANSACTION = f"SELECT count(*) {WORKERS} AND state = 'idle in transaction'"
ASKING = "SELECT count(*) FROM ledger.jobs WHERE kind = :kind AND state = 'running' AND started_at IS NOT NULL"
LATE = 2.0  # seconds in which a lock is put between the carrier's answers and what follows them
HURRY = (
    "UPDATE ledger.jobs SET run_at = now() WHERE state IN ('scheduled', 'retryable')",
    "UPDATE nexara.remains SET retry_at = now() WHERE retry_at > now() AND state IN ('sent', 'accepted', 'blocked')",
)


class Mortal:
    """A world whose workers know who holds copies, and die where they are told to."""

    def __init__(self, world: World, objects: Objects, holders: Mapping[str, str]) -> None:
        self.world, self.objects, self.holders = world, objects, holders
        self.of: list[UUID] = []
        """The businesses that something is erased of."""

    def worker(self, **settings: str) -> Process:
        return self.world.worker(**KEYS, **self.addresses, **settings)

    @property
    def addresses(self) -> dict[str, str]:
        """The settings that say where the vendors are."""
        return {f"{name.upper()}_BASE_URL": url for name, url in self.holders.items()}

    @contextmanager
    def killed(self, *holds: Hold) -> Iterator[Process]:
        """Lend a worker that is killed at the end of the block, while these locks are still held."""
        with ExitStack() as held:
            for hold in holds:
                held.enter_context(hold)
            worker = self.worker()
            yield worker
            self.dies(worker)

    def dies(self, worker: Process) -> None:
        """Kill -9 a worker, and let the server notice that whoever waits for a lock is nobody any more."""
        worker.kill()
        self.world.until(lambda: not self.world.sql(ORPHANED), "its connections are gone")

    def waits(self, query: str, many: int = 1) -> None:
        """Wait until so many of the worker's statements like this wait for a lock."""
        self.until(lambda: self.world.value(BLOCKED, query=f"%{query}%") >= many, f"{many} wait: {query}")

    def asks(self, kind: str, many: int = 1) -> None:
        """Wait until so many jobs of a kind ask their vendor: they have loaded, and hold no transaction."""
        self.until(lambda: self.world.value(ASKING, kind=kind) >= many, f"{many} of {kind} are started")
        self.world.until(lambda: not self.world.value(IN_TRANSACTION), "their transactions are committed")

    def until(self, holds: Any, why: str) -> None:
        """Wait until something holds; what waits for later does not wait."""

        def hurried() -> bool:
            for each in HURRY:
                self.world.sql(each)
            return bool(holds())

        self.world.until(hurried, why)

    @contextmanager
    def unnoted(self, many: int) -> Iterator[None]:
        """Hold the jobs that ask the carrier, once they have asked: their answers cannot be kept."""
        self.world.until(lambda: len(self.asked()) >= many, "the carrier was asked")
        with self.world.hold("SELECT FROM ledger.jobs WHERE kind = 'copies.twilio' FOR NO KEY UPDATE"):
            self.waits("", many)
            yield

    def late(self, many: int) -> None:
        """Make the carrier's next answers late."""
        post(f"{self.holders['twilio']}/_sandbox/faults", [{"delay": LATE}] * many)

    def asked(self) -> list[str]:
        """Return what the carrier was asked to delete."""
        return [each["path"] for each in requests(self.holders["twilio"]) if each["method"] == "DELETE"]

    def puts(self, ref: str) -> None:
        """Let the carrier have a call."""
        post(f"{self.holders['twilio']}/_sandbox/copies", [{"what": "call", "ref": ref}])

    def at_carrier(self) -> set[str]:
        return {copy["ref"] for copy in get(f"{self.holders['twilio']}/_sandbox/copies")}

    def receipts(self, business: UUID) -> list[Receipt]:
        """Return a business's receipts, as the command reads them."""
        found = self.world.sql("SELECT * FROM nexara.receipts_v1(:b)", b=business)
        return [Receipt(business_id=business, **row._mapping) for row in found]

    def has_one_receipt(self, business: UUID, erasure: UUID) -> Receipt:
        """Check that the erasure is completed with one receipt, which lies outside too; return it."""
        assert self.world.value("SELECT state FROM nexara.erasures WHERE id = :id", id=erasure) == "completed"
        (receipt,) = self.receipts(business)
        assert (receipt.erasure_id, broken([receipt])) == (erasure, [])
        outside = [each.key for each in self.objects.held(f"receipts/{business}/")]
        assert outside == [f"receipts/{business}/{erasure}/{receipt.hash}.json"]
        return receipt


@contextmanager
def mortal(world: World, objects: Objects) -> Iterator[Mortal]:
    """Lend vendors who hold copies, and workers that know them."""
    with ExitStack() as serving:
        yield Mortal(world, objects, {name: serving.enter_context(running(APPS[name]())) for name in HOLDERS})
