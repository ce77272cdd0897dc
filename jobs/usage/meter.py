"""usage.meter: what an ended conversation used, each fact once; then the business is told of it."""

import math
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobs.alerts.payloads import Alert, SendAlert
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.errors import TryAgain
from ledger.job import database_job
from ledger.outcome import Cancel
from models.accounts import Member
from models.billing import Meter, Unit
from models.calls import Call
from models.conversations import Channel, Conversation, Message
from models.mail import EmailSent


@database_job(MeterConversation)
def meter(db: Session, payload: MeterConversation) -> Cancel | None:
    """Write the conversation's meter rows; no number, name or id of a person goes with them."""
    conversation = db.get(Conversation, payload.conversation_id)
    if conversation is None:
        return Cancel("conversation_deleted")
    if conversation.ended_at is None:
        raise TryAgain("not_ended", "The conversation has not ended yet.")
    if conversation.channel is Channel.CALL:
        _meter_call(db, conversation)
    else:
        _meter_messages(db, conversation)
    _tell(db, conversation)
    return None


def _meter_call(db: Session, conversation: Conversation) -> None:
    call = db.scalar(select(Call).where(Call.conversation_id == conversation.id))
    if call is None:
        raise TryAgain("call_missing", "The conversation is a call whose row is not there yet.")
    assert conversation.ended_at is not None  # noqa: S101 - asked above
    # A carrier's clock and ours may differ: nobody is billed less than nothing.
    lasted = max(0, math.ceil((conversation.ended_at - conversation.started_at).total_seconds()))
    _once(
        db,
        conversation.business_id,
        [
            {
                "event_key": call.event_key,
                "source": conversation.channel,
                "unit": Unit.CALL_SECOND,
                "quantity": lasted if call.seconds is None else call.seconds,
                "at": conversation.ended_at,
            }
        ],
    )


def _meter_messages(db: Session, conversation: Conversation) -> None:
    messages = db.execute(
        select(Message.event_key, Message.direction, Message.sent_at).where(Message.conversation_id == conversation.id)
    )
    _once(
        db,
        conversation.business_id,
        [
            {
                "event_key": message.event_key,
                "source": conversation.channel,
                "unit": Unit.MESSAGE,
                "direction": message.direction,
                "quantity": 1,
                "at": message.sent_at,
            }
            for message in messages
        ],
    )


def _once(db: Session, business_id: UUID, facts: list[dict[str, object]]) -> None:
    """Insert what is not metered yet: the fact's own key is unique, whoever meters it and however often."""
    if facts:
        db.execute(
            insert(Meter).values([{"business_id": business_id, **fact} for fact in facts]).on_conflict_do_nothing()
        )


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
