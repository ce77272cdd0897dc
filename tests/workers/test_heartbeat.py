"""A worker that the ledger has not heard lately knows it, by the time before its beat was sent."""

from collections.abc import Iterator
from time import monotonic, sleep
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from ledger.watch import HEARTBEAT_EVERY, UNHEARD_AFTER
from sandbox.ports import LOOPBACK, free_port
from tests.ledger.conftest import Ledger
from tests.workers.conftest import until
from workers.heartbeat import Heartbeat
from workers.wiring import engine


@pytest.fixture
def beats(ledger: Ledger) -> Iterator[Engine]:
    own = engine(ledger.worker.url.render_as_string(hide_password=False), 1)
    yield own
    own.dispose()


def test_the_first_beat_names_the_worker_and_the_last_signs_it_off(ledger: Ledger, beats: Engine) -> None:
    heart = Heartbeat(beats, ledger.me, 8, ["walls.dry", "walls.paint"])
    assert not heart.heard()
    heart.start()
    assert heart.heard()
    with ledger.admin.begin() as db:
        row = db.execute(text("SELECT id, threads, kinds, heartbeat_at FROM ledger.workers")).one()
    assert (row.id, row.threads, row.kinds) == (ledger.me, 8, ["walls.dry", "walls.paint"])
    heart.stop()
    assert ledger.sql("SELECT count(*) FROM ledger.workers") == 0


def test_a_worker_whose_beats_are_missed_is_unheard_until_one_arrives(ledger: Ledger, beats: Engine) -> None:
    heart = Heartbeat(beats, ledger.me, 8, [])
    began = monotonic()
    heart.start()
    with ledger.admin.begin() as db:
        db.execute(text("LOCK TABLE ledger.workers IN ACCESS EXCLUSIVE MODE"))  # beats are sent, and do not arrive
        sleep(HEARTBEAT_EVERY.total_seconds() + 0.5)
        assert heart.heard()
        until(lambda: not heart.heard(), UNHEARD_AFTER.total_seconds())
        assert monotonic() - began >= UNHEARD_AFTER.total_seconds()
    until(heart.heard, 2 * HEARTBEAT_EVERY.total_seconds() + 1)
    heart.stop()


def test_a_worker_that_cannot_beat_once_does_not_start() -> None:
    nowhere = engine(f"postgresql://nobody@{LOOPBACK}:{free_port()}/nothing", 1)
    with pytest.raises(OperationalError):
        Heartbeat(nowhere, uuid4(), 1, []).start()
    nowhere.dispose()


def test_a_ledger_that_is_gone_at_the_end_is_no_error(ledger: Ledger, beats: Engine) -> None:
    heart = Heartbeat(beats, ledger.me, 1, [])
    heart.start()
    ledger.sql("REVOKE EXECUTE ON FUNCTION ledger.sign_off_v1(uuid) FROM nexara_worker")
    heart.stop()
