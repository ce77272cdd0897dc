"""Our registry as dramatiq actors: one actor a kind, and a broker whose one stream is the intake."""

from collections.abc import Callable

import dramatiq
from dramatiq import Actor, Broker
from dramatiq.broker import Consumer

from ledger.job import Registry
from workers.intake import QUEUE, Intake, Tap

POLL = 1.0
"""Seconds that a consumer waits for work before it looks whether it should stop."""


class LedgerBroker(Broker):
    """Carries (id, fence) to actors.

    No middleware of dramatiq's is used: retries, time limits and results are the ledger's.
    """

    def __init__(self, intake: Intake) -> None:
        super().__init__(middleware=[])
        self._intake = intake

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> Consumer:  # noqa: ARG002
        """Return the tap; how far it reads ahead is the intake's budget, not dramatiq's prefetch."""
        return Tap(self._intake, POLL)

    def declare_queue(self, queue_name: str) -> None:
        """Declare dramatiq's one queue."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def declare_actor(self, actor: Actor[..., None]) -> None:
        """Declare the actor of one kind."""
        self.emit_before("declare_actor", actor)
        self.declare_queue(actor.queue_name)
        self.actors[actor.actor_name] = actor
        self.emit_after("declare_actor", actor)


def declare(broker: Broker, registry: Registry, perform: Callable[[int, int], None]) -> None:
    """Make one actor a kind, all of which perform what the ledger says of (id, fence)."""
    for job in registry:
        terms = job.payload.terms
        make = dramatiq.actor(broker=broker, actor_name=job.kind, queue_name=QUEUE, priority=terms.priority)
        make(perform)
