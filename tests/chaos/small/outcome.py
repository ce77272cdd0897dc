"""A world of small jobs: prepared, worked on, and what came of all that was asked for."""

from collections import Counter
from uuid import UUID

from sqlalchemy import NullPool, create_engine

from ledger.contract import publish
from tests.chaos.small.crowd import Asked, Crowd
from tests.chaos.small.kinds import EFFECTS, TABLE, kinds
from tests.chaos.small.worker import FOLDER
from tests.chaos.world import Process, World

TROUBLE = """
SELECT kind, state, reason FROM ledger.jobs WHERE state <> 'succeeded'
UNION ALL
SELECT kind, outcome, error_code FROM ledger.attempts WHERE outcome <> 'lost' AND error_code <> 'stumbled'
"""
THREADS = 6


def prepare(world: World) -> None:
    """Make the table of effects, and the small kinds known to the database."""
    world.sql(TABLE)
    admin = create_engine(world.admin_url, poolclass=NullPool)
    with admin.begin() as db:
        publish(db, kinds(world.folder))


def worker(world: World, **settings: str) -> Process:
    """Start a worker of the small kinds."""
    folder = {FOLDER: str(world.folder)}
    return world.worker(THREADS, ("tests.chaos.small.worker",), SHUTDOWN_SECONDS="2", **folder, **settings)


class Outcome:
    """What was committed against what is there."""

    def __init__(self, world: World, crowd: Crowd) -> None:
        self._world = world
        self._crowd = crowd

    def lost(self) -> Counter[tuple[UUID, str]]:
        """Return the effects that are missing, and the jobs that are."""
        gone = self._crowd.sure.keys() - self._known()
        return self._wanted() - self._found() + Counter((subject, "job") for subject in gone)

    def twice(self) -> Counter[tuple[UUID, str]]:
        """Return the effects that are there more than once."""
        return Counter({effect: count for effect, count in self._found().items() if count > 1})

    def kept(self) -> int:
        """Return how many of the transactions whose answer was lost were committed."""
        return sum(bool(self._there(asked)) for asked in self._crowd.unsure)

    def prove(self) -> None:
        """Check that each effect of what was committed is there once, and no other, and nothing failed by a bug."""
        assert self.lost() == Counter(), self.lost()
        assert self.twice() == Counter(), self.twice()
        assert self._found() == self._wanted(), "what was rolled back has left nothing"
        for asked in self._crowd.unsure:
            assert self._there(asked) in (set(), set(asked)), "a transaction was torn"
        trouble = self._world.sql(TROUBLE)
        assert trouble == [], trouble

    def _wanted(self) -> Counter[tuple[UUID, str]]:
        committed: Asked = dict(self._crowd.sure)
        for asked in self._crowd.unsure:
            if self._there(asked):
                committed |= asked
        return Counter((subject, step) for subject, kind in committed.items() for step in EFFECTS[kind])

    def _found(self) -> Counter[tuple[UUID, str]]:
        return Counter(tuple(row) for row in self._world.sql("SELECT subject_id, step FROM chaos.effects"))

    def _known(self) -> set[UUID]:
        return {UUID(row[0]) for row in self._world.sql("SELECT DISTINCT payload ->> 'subject_id' FROM ledger.jobs")}

    def _there(self, asked: Asked) -> set[UUID]:
        return self._known() & asked.keys()
