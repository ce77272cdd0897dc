"""The three shapes of a job, and the registry of kinds.

A job that pays a vendor is a class of three steps: `load` reads with a transaction, `call` talks to the vendor and is
given no transaction to hold, `save` writes what came of it together with the job's completion. A job that only touches
the database is one function in one transaction. A job without effects is a function of its payload alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from ledger.errors import OtherRelease
from ledger.outcome import Again, Cancel, Known, Snooze
from ledger.payload import Payload

P = TypeVar("P", bound=Payload)
P_contra = TypeVar("P_contra", bound=Payload, contravariant=True)
G = TypeVar("G")
A = TypeVar("A")
V_contra = TypeVar("V_contra", contravariant=True)


class VendorJob(Protocol[P_contra, G, V_contra, A]):
    """The steps of a job that pays a vendor: what load gives is what call takes, what call answers is what save keeps.

    `otherwise(db, payload)`, where there is one, runs in the transaction that ends the job without success.
    """

    def load(self, db: Session, payload: P_contra) -> G | Known[A] | Cancel | Snooze:
        """Read what the call needs; the transaction cannot write."""
        ...

    def call(self, given: G, vendors: V_contra) -> A:
        """Ask the vendor."""
        ...

    def save(self, db: Session, payload: P_contra, answer: A) -> Cancel | None:
        """Write what came of it, and enqueue what follows; or say that what it was asked about is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of job, as the runner needs it."""

    payload: type[Payload]
    steps: Any = None
    answer: TypeAdapter[Any] | None = None
    given: TypeAdapter[Any] | None = None
    in_database: Callable[[Session, Any], Again | Cancel | Snooze | None] | None = None
    in_batches: Callable[[Session, Any, Mapping[str, Any] | None], Again | Cancel | Snooze | None] | None = None
    plain: Callable[[Any], None] | None = None
    otherwise: Callable[[Session, Any], None] | None = None

    @property
    def kind(self) -> str:
        """The name of the kind."""
        return self.payload.kind

    def read(self, stored: Mapping[str, Any]) -> Payload:
        """Read a payload back from its row; raises OtherRelease for one that this release does not understand.

        Whoever enqueued it was checked against the kind as the database knows it, which is the newest release's.
        """
        try:
            return self.payload.read(stored)
        except ValidationError:
            raise OtherRelease("payload_unread", "Its payload is of a release that this worker is not of.") from None


class Registry:
    """The kinds of one process, by name."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, kind: str) -> bool:
        return kind in self._jobs

    def __getitem__(self, kind: str) -> Job:
        return self._jobs[kind]

    @property
    def kinds(self) -> list[str]:
        """The names of all kinds, sorted."""
        return sorted(self._jobs)

    def add(self, job: Job) -> None:
        """Add a kind; raises TypeError if its name is taken, or its queue waits for other vendors than it does.

        A vendor's limit decides how much of a queue is picked: a kind that does not need the vendor would wait for it.
        """
        if job.kind in self._jobs:
            raise TypeError(f"two handlers for {job.kind}")
        terms = job.payload.terms
        if terms.vendors and job.steps is None:
            raise TypeError(f"{job.kind} has no step in which it could ask {', '.join(terms.vendors)}")
        for other in self:
            theirs = other.payload.terms
            if theirs.queue == terms.queue and set(theirs.vendors) != set(terms.vendors):
                raise TypeError(
                    f"{job.kind} and {other.kind} wait for other vendors: give it a queue beside {terms.queue}"
                )
        self._jobs[job.kind] = job

    def vendor_job(self, payload: type[P]) -> Callable[[type[VendorJob[P, G, Any, A]]], type[VendorJob[P, G, Any, A]]]:
        """Register a class of three steps; its answer's type must be one that pydantic can store as JSON."""

        def register(steps: type[VendorJob[P, G, Any, A]]) -> type[VendorJob[P, G, Any, A]]:
            call = get_type_hints(steps.call)
            made = steps()
            self.add(
                Job(
                    payload,
                    steps=made,
                    answer=TypeAdapter(call["return"]),
                    given=TypeAdapter(call["given"]),
                    otherwise=getattr(made, "otherwise", None),
                )
            )
            return steps

        return register

    def database_job(
        self, payload: type[P]
    ) -> Callable[[Callable[[Session, P], Cancel | Snooze | None]], Callable[[Session, P], Cancel | Snooze | None]]:
        """Register a function whose whole body is one transaction."""

        def register(
            function: Callable[[Session, P], Cancel | Snooze | None],
        ) -> Callable[[Session, P], Cancel | Snooze | None]:
            self.add(Job(payload, in_database=function))
            return function

        return register

    def cursor_job(
        self, payload: type[P]
    ) -> Callable[
        [Callable[[Session, P, Mapping[str, Any] | None], Again | Cancel | Snooze | None]],
        Callable[[Session, P, Mapping[str, Any] | None], Again | Cancel | Snooze | None],
    ]:
        """Register a function that does one batch a transaction and says `Again` with its cursor until all is done."""
        if not (payload.terms.until_done and payload.terms.unique_by):
            raise TypeError(f"{payload.kind}: a job that goes on must be the only one of its key until it is done")

        def register(
            function: Callable[[Session, P, Mapping[str, Any] | None], Again | Cancel | Snooze | None],
        ) -> Callable[[Session, P, Mapping[str, Any] | None], Again | Cancel | Snooze | None]:
            self.add(Job(payload, in_batches=function))
            return function

        return register

    def plain_job(self, payload: type[P]) -> Callable[[Callable[[P], None]], Callable[[P], None]]:
        """Register a function without effects on the database: such jobs are started and completed as sets."""

        def register(function: Callable[[P], None]) -> Callable[[P], None]:
            self.add(Job(payload, plain=function))
            return function

        return register


registry = Registry()
vendor_job = registry.vendor_job
database_job = registry.database_job
cursor_job = registry.cursor_job
plain_job = registry.plain_job
