"""What may be asked of operations."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class ApplyOperation(Payload):
    """Do what somebody on call asked of many jobs at once, in batches."""

    kind: ClassVar[str] = "operations.apply"
    terms: ClassVar[Terms] = Terms(
        # First, since somebody watches it. A batch takes a moment: one that does not is stuck behind a lock.
        queue="upkeep",
        priority=0,
        timeout=timedelta(minutes=2),
        unique_by=("operation_id",),
        until_done=True,
    )

    operation_id: UUID
