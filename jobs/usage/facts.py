"""What conversations used, as rows of the meter: no number, name or id of a person goes with them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Numeric, Select, cast, exists, extract, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.billing import Meter, Unit
from models.calls import Call
from models.conversations import Channel, Conversation, Message

COLUMNS = ("business_id", "event_key", "source", "unit", "direction", "quantity", "at")


def meter(db: Session, conversations: Sequence[UUID], messages: Sequence[UUID] = ()) -> None:
    """Write what these conversations used so far, and these messages of others, and is not written yet.

    A call counts once it has ended. Within the server: a thread may have more messages than a statement may have
    parameters. A fact's own key is unique, whoever meters it and however often; what is written is not tried again,
    since the day until which a row is kept is worked out before it turns out to be there.
    """
    facts = []
    if conversations:
        facts += [_calls(conversations), _messages(Message.conversation_id == func.any(list(conversations)))]
    if messages:
        facts.append(_messages(Message.id == func.any(list(messages))))
    for each in facts:
        db.execute(insert(Meter).from_select(COLUMNS, each).on_conflict_do_nothing())


def _unwritten(fact: type[Call | Message]) -> ColumnElement[bool]:
    same = Meter.business_id == fact.business_id, Meter.event_key == fact.event_key
    return ~exists().where(*same, Meter.correction_of.is_(None))


def _calls(conversations: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    # A carrier's clock and ours may differ: nobody is billed less than nothing.
    lasted = func.greatest(
        0, func.ceil(cast(extract("epoch", Conversation.ended_at - Conversation.started_at), Numeric))
    )
    return (
        select(
            Call.business_id,
            Call.event_key,
            Conversation.channel,
            literal(Unit.CALL_SECOND, Meter.unit.type),
            literal(None, Meter.direction.type),
            func.coalesce(Call.seconds, cast(lasted, BigInteger)),
            Conversation.ended_at,
        )
        .join(Conversation, Conversation.id == Call.conversation_id)
        .where(
            Call.conversation_id == func.any(list(conversations)),
            Conversation.channel == Channel.CALL,
            Conversation.ended_at.is_not(None),
            _unwritten(Call),
        )
    )


def _messages(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Message.business_id,
            Message.event_key,
            Conversation.channel,
            literal(Unit.MESSAGE, Meter.unit.type),
            Message.direction,
            literal(1),
            Message.sent_at,
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(which, Conversation.channel != Channel.CALL, _unwritten(Message))
    )
