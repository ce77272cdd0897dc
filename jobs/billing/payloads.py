"""What may be asked of billing."""

from datetime import datetime, timedelta
from typing import ClassVar

from ledger.payload import Payload, Terms


class ReconcileBilling(Payload):
    """Compare ended conversations with the meter, and have what is missing metered."""

    kind: ClassVar[str] = "billing.reconcile"
    terms: ClassVar[Terms] = Terms(
        queue="upkeep", priority=3, timeout=timedelta(minutes=10), unique_by=("as_of",), until_done=True
    )

    as_of: datetime
