"""conversations.recover: ended conversations that nobody enqueued, or whose job died with its worker, are taken up."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.conversations.payloads import RecoverConversations, SummarizeConversation
from jobs.recordings.payloads import TranscribeRecording
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.job import database_job
from ledger.payload import Payload

SETTLED = timedelta(minutes=10)
"""What ended later may still be on its way."""
LOOKS_BACK = timedelta(days=40)
MOST_AT_ONCE = 500

FORGOTTEN = text("SELECT * FROM nexara.forgotten_v1(:since, :until, :most)")


@database_job(RecoverConversations)
def recover(db: Session, payload: RecoverConversations) -> None:
    """Enqueue the first step that each still lacks; what was tried and failed is metered and told of as it is."""
    found = db.execute(
        FORGOTTEN,
        {"since": payload.as_of - LOOKS_BACK, "until": payload.as_of - SETTLED, "most": MOST_AT_ONCE},
    )
    for row in found.all():
        step = first_step(row.conversation_id, row.recording_id, has_words=row.has_words)
        enqueue(db, step, business_id=row.business_id)


def first_step(conversation_id: UUID, recording_id: UUID | None, *, has_words: bool) -> Payload:
    """Return the job that a forgotten conversation needs."""
    if recording_id is not None:
        return TranscribeRecording(recording_id=recording_id)
    if has_words:
        return SummarizeConversation(conversation_id=conversation_id)
    return MeterConversation(conversation_id=conversation_id)
