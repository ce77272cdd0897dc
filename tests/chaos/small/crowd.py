"""Several businesses that enqueue small jobs while the run lasts, and know of each whether it was committed."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID, uuid4

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger.enqueue import enqueue
from ledger.enqueue_many import enqueue_many
from ledger.payload import Payload
from tests.chaos.small.kinds import Ask, Note, Pass, Stumble, Walk

ACT_FOR = text("SELECT nexara.act_for(:business)")
WEIGHTS: dict[type[Payload], int] = {Note: 60, Pass: 20, Ask: 8, Walk: 7, Stumble: 5}
BUSINESSES, PRIORITIES = 5, 4
A_TRANSACTION = 25  # jobs
MOST_WAITING = 150
"""Jobs: who enqueues into a backlog measures how long it is, and not how soon a dead worker's jobs are taken up."""
WAITING = text("SELECT count(*) FROM ledger.jobs WHERE state IN ('available', 'dispatched')")
WITHDRAWN = 0.1  # of the transactions
Asked = dict[UUID, type[Payload]]


@dataclass
class Crowd:
    """What was asked for: `sure` was committed, `withdrawn` rolled back, and of `unsure` the answer was lost."""

    engine: Engine
    admin: Engine
    draw: random.Random
    pace: float
    """Jobs a second, at most."""
    sure: Asked = field(default_factory=dict)
    withdrawn: Asked = field(default_factory=dict)
    unsure: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._businesses = [uuid4() for _ in range(BUSINESSES)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            if self._many_wait():
                self._stopping.wait(0.1)
                continue
            self._ask(dict(self._some()))
            self._stopping.wait(max(0.0, began + A_TRANSACTION / self.pace - time.monotonic()))

    def _many_wait(self) -> bool:
        try:
            with self.admin.connect() as db:
                return bool(db.execute(WAITING).scalar_one() > MOST_WAITING)
        except DBAPIError:
            return True

    def _some(self) -> Iterator[tuple[UUID, type[Payload]]]:
        for kind in self.draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=A_TRANSACTION):
            yield uuid4(), kind

    def _ask(self, asked: Asked) -> None:
        """Enqueue all of these in one transaction, as the web tier would."""
        withdrawn = self.draw.random() < WITHDRAWN
        written = False
        try:
            with Session(self.engine) as db:
                db.execute(ACT_FOR, {"business": self.draw.choice(self._businesses)})
                self._write(db, asked)
                written = not withdrawn
                if written:
                    db.commit()
        except DBAPIError:
            if written:
                self.unsure.append(asked)
            else:
                self.withdrawn |= asked
            self._stopping.wait(0.2)
            return
        if withdrawn:
            self.withdrawn |= asked
        else:
            self.sure |= asked

    def _write(self, db: Session, asked: Asked) -> None:
        notes = [Note(subject_id=subject) for subject, kind in asked.items() if kind is Note]
        enqueue_many(db, notes, priority=self.draw.randrange(PRIORITIES))
        for subject, kind in asked.items():
            if kind is not Note:
                enqueue(db, kind(subject_id=subject), priority=self.draw.randrange(PRIORITIES))
