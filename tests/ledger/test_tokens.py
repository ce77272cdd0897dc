"""A token in Redis may outlive what it was made for: it claims only what is dispatched under its fence."""

from typing import Any
from uuid import uuid4

from ledger.operate import discard
from tests.ledger.kinds import Dry


def test_a_token_that_outlived_its_dispatch_claims_nothing(ledger: Any) -> None:
    """A crash of the server may undo a dispatch whose token is in Redis; its fence may then be another arrow's."""
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    ((_, fence),) = ledger.dispatched()
    ledger.sql("UPDATE ledger.jobs SET state = 'available', fence = fence - 1 WHERE id = :id", id=job_id)
    with ledger.admin.begin() as db:
        discard(db, job_id)
    assert ledger.job(job_id).fence == fence
    assert ledger.claimed(tokens=[(job_id, fence)]) == []
    assert ledger.job(job_id).state == "discarded"


def test_of_two_tokens_for_one_job_the_later_is_claimed(ledger: Any) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    ((_, fence),) = ledger.dispatched()
    (claimed,) = ledger.claimed(tokens=[(job_id, fence - 1), (job_id, fence)])
    assert claimed.id == job_id
