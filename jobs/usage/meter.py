"""usage.meter: what an ended conversation used, each fact once; at the end of its chain the business is told of it."""

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from jobs.alerts.payloads import Alert, SendAlert
from jobs.usage.facts import meter as write
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.errors import TryAgain
from ledger.job import database_job
from ledger.outcome import Cancel
from models.accounts import Member
from models.calls import Call
from models.conversations import Channel, Conversation
from models.mail import EmailSent


@database_job(MeterConversation)
def meter(db: Session, payload: MeterConversation) -> Cancel | None:
    """Write the conversation's meter rows; no number, name or id of a person goes with them."""
    conversation = db.get(Conversation, payload.conversation_id)
    if conversation is None:
        return Cancel("conversation_deleted")
    if conversation.ended_at is None:
        raise TryAgain("not_ended", "The conversation has not ended yet.")
    is_call = conversation.channel is Channel.CALL
    if is_call and not db.scalar(select(exists().where(Call.conversation_id == conversation.id))):
        raise TryAgain("call_missing", "The conversation is a call whose row is not there yet.")
    write(db, [conversation.id])
    # There is one mail: it must not go out empty while what it should tell of waits for a mended setting.
    if not _still_to_come(db, conversation):
        _tell(db, conversation)
    return None


def _still_to_come(db: Session, conversation: Conversation) -> bool:
    """Whether a step before this one may still bring words or a lead, and this job again after it."""
    return bool(db.scalar(select(func.nexara.still_to_come_v1(conversation.id))))


def _tell(db: Session, conversation: Conversation) -> None:
    """Have each member told who wants to be, once."""
    told = exists().where(
        EmailSent.to_member == Member.id,
        EmailSent.conversation_id == conversation.id,
        EmailSent.template == Alert.CONVERSATION_ENDED,
    )
    for member_id in db.scalars(select(Member.id).where(Member.alerts, ~told).order_by(Member.id)):
        enqueue(
            db,
            SendAlert(conversation_id=conversation.id, member_id=member_id, alert=Alert.CONVERSATION_ENDED),
        )
