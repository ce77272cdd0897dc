"""What may be asked of alerts."""

from datetime import timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class Alert(StrEnum):
    """What a business is told of; the word is also the mail's template."""

    CONVERSATION_ENDED = "conversation_ended"


class SendAlert(Payload):
    """Mail one member of the business about one conversation."""

    kind: ClassVar[str] = "alerts.send"
    terms: ClassVar[Terms] = Terms(
        queue="mail",
        priority=1,
        # Resend forgets an idempotency key after 24 h: nothing may be tried again after that.
        give_up_after=timedelta(hours=20),
        unique_by=("conversation_id", "member_id", "alert"),
        vendors=("resend",),
    )

    conversation_id: UUID
    member_id: UUID
    alert: Alert
