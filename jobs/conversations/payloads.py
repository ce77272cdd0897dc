"""What may be asked of conversations."""

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class SummarizeConversation(Payload):
    """Say in a few sentences what was wanted and what was agreed."""

    kind: ClassVar[str] = "conversations.summarize"
    terms: ClassVar[Terms] = Terms(
        queue="language", timeout=timedelta(minutes=3), unique_by=("conversation_id",), vendors=("anthropic",)
    )

    conversation_id: UUID


class RecoverConversations(Payload):
    """Take up ended conversations that nobody enqueued, or whose job died with its worker."""

    kind: ClassVar[str] = "conversations.recover"
    terms: ClassVar[Terms] = Terms(queue="upkeep", unique_by=("as_of",), priority=3)

    as_of: datetime
