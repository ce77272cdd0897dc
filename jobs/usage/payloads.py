"""What may be asked of the meter."""

from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class MeterConversation(Payload):
    """Write what one ended conversation used: call seconds, or messages; each fact once."""

    kind: ClassVar[str] = "usage.meter"
    terms: ClassVar[Terms] = Terms(queue="usage", priority=1, unique_by=("conversation_id",))

    conversation_id: UUID
