"""What may be asked of leads."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class ExtractLead(Payload):
    """Find who wants what, and how to reach them, in one conversation."""

    kind: ClassVar[str] = "leads.extract"
    terms: ClassVar[Terms] = Terms(
        queue="language", timeout=timedelta(minutes=3), unique_by=("conversation_id",), vendors=("anthropic",)
    )

    conversation_id: UUID
