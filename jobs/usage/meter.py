"""usage.meter: what an ended conversation used, each fact once; at the end of its chain the business is told of it."""

import math

from sqlalchemy import exists, func, literal, select
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
    # There is one mail: it must not go out empty while what it should tell of waits for a mended setting.
    if not _still_to_come(db, conversation):
        _tell(db, conversation)
    return None


def _meter_call(db: Session, conversation: Conversation) -> None:
    call = db.scalar(select(Call).where(Call.conversation_id == conversation.id))
    if call is None:
        raise TryAgain("call_missing", "The conversation is a call whose row is not there yet.")
    assert conversation.ended_at is not None  # noqa: S101 - asked above
    # A carrier's clock and ours may differ: nobody is billed less than nothing.
    lasted = max(0, math.ceil((conversation.ended_at - conversation.started_at).total_seconds()))
    fact = insert(Meter).values(
        business_id=conversation.business_id,
        event_key=call.event_key,
        source=conversation.channel,
        unit=Unit.CALL_SECOND,
        quantity=lasted if call.seconds is None else call.seconds,
        at=conversation.ended_at,
    )
    # The fact's own key is unique, whoever meters it and however often.
    db.execute(fact.on_conflict_do_nothing())


def _meter_messages(db: Session, conversation: Conversation) -> None:
    facts = select(
        Message.business_id,
        Message.event_key,
        literal(conversation.channel, Meter.source.type),
        literal(Unit.MESSAGE, Meter.unit.type),
        Message.direction,
        literal(1),
        Message.sent_at,
    ).where(Message.conversation_id == conversation.id)
    columns = ["business_id", "event_key", "source", "unit", "direction", "quantity", "at"]
    # In one statement, within the server: a thread may have more messages than a statement may have parameters.
    db.execute(insert(Meter).from_select(columns, facts).on_conflict_do_nothing())


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
