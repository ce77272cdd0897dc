"""What an actor does with (id, fence): runs the job it names, if this process still holds it."""

import logging
import time

from ledger.claim import Token
from ledger.claimed import Claimed
from ledger.job import Registry
from ledger.line import Line
from ledger.run import Runner
from workers.completer import Completer
from workers.intake import Intake

log = logging.getLogger(__name__)
GRACE = 5.0  # seconds after its deadline that a job may need to notice


class Perform:
    """Runs held jobs on dramatiq's threads."""

    def __init__(self, intake: Intake, runner: Runner, registry: Registry, completer: Completer) -> None:
        self._intake = intake
        self._runner = runner
        self._registry = registry
        self._completer = completer
        self._due: dict[Token, float] = {}

    def overdue(self) -> int:
        """Return how many threads are still at a job whose deadline is over: it is another's by now."""
        now = time.monotonic()
        return sum(due < now for due in list(self._due.values()))

    def __call__(self, job_id: int, fence: int) -> None:
        """Run one job, and then what waits for a thread, until there is no more."""
        claimed = self._intake.held(job_id, fence)
        with self._runner.line(self._more) as line:
            while True:
                if claimed is not None and (line.has_begun(claimed) or not self._intake.closed):
                    self._run(claimed, line)
                claimed = line.move_on() or self._intake.crew.next()
                if claimed is None:
                    return

    def _more(self) -> Claimed | None:
        """Return a job that waits; a process that stops gives back what it has not begun."""
        return None if self._intake.closed else self._intake.crew.more()

    def _run(self, claimed: Claimed, line: Line) -> None:
        try:
            self._one(claimed, line)
        except BaseException as error:  # noqa: BLE001 - not even one that ends its thread may keep the others waiting
            log.error("perform.failed", extra={"job_id": claimed.id, "error": type(error).__name__})  # noqa: TRY400

    def _one(self, claimed: Claimed, line: Line) -> None:
        """Run one job; what it holds is forgotten whatever happens, so that the process never runs dry."""
        token = (claimed.id, claimed.fence)
        waiting = False
        timeout = self._registry[claimed.kind].payload.terms.timeout
        self._due[token] = time.monotonic() + timeout.total_seconds() + GRACE
        try:
            if self._registry[claimed.kind].plain is not None:
                waiting = self._plain(claimed)
            else:
                self._runner.run(claimed, line)
        finally:
            del self._due[token]
            if not waiting:
                self._intake.forget([token])

    def _plain(self, claimed: Claimed) -> bool:
        """Run a job without effects; returns whether it now waits to be completed with others."""
        if self._runner.run_plain(claimed) is None:
            return False
        self._completer.put((claimed.id, claimed.fence))
        return True
