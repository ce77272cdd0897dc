"""What may be asked of retention."""

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class SweepRetention(Payload):
    """Find whose rows and which businesses have reached their end, and have each ended by a job of its own."""

    kind: ClassVar[str] = "retention.sweep"
    terms: ClassVar[Terms] = Terms(
        queue="upkeep", priority=3, timeout=timedelta(minutes=10), unique_by=("as_of",), until_done=True
    )

    as_of: datetime


class ExpireRows(Payload):
    """Delete one business's rows that have reached their end, in batches."""

    kind: ClassVar[str] = "retention.expire"
    terms: ClassVar[Terms] = Terms(
        queue="upkeep", priority=3, timeout=timedelta(minutes=10), unique_by=("business_id",), until_done=True
    )

    business_id: UUID
    as_of: datetime


class EndBusiness(Payload):
    """Begin to erase a business whose access ended so long ago that it must."""

    kind: ClassVar[str] = "retention.end"
    terms: ClassVar[Terms] = Terms(queue="upkeep", priority=2, unique_by=("business_id",), until_done=True)

    business_id: UUID
