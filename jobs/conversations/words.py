"""The words of a conversation, as a model is shown them: one line an utterance, by caller or agent."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.calls import Call, CallLeg
from models.conversations import Channel, Conversation, Direction, Message
from models.recordings import Recording, Transcript

CALLER_CHANNEL = 0
"""Carriers record the caller on the first channel and our agent on the second."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was said or written, and the ids of the rows it was taken from."""

    text: str
    sources: tuple[str, ...]


def words_of(db: Session, conversation: Conversation) -> Words:
    """Return the words of a conversation, oldest first; of a call, those of all its recordings."""
    if conversation.channel is Channel.CALL:
        return _spoken(db, conversation.id)
    return _written(db, conversation.id)


def _spoken(db: Session, conversation_id: UUID) -> Words:
    heard = db.scalars(
        select(Transcript)
        .join(Recording, Transcript.recording_id == Recording.id)
        .join(CallLeg, Recording.leg_id == CallLeg.id)
        .join(Call, CallLeg.call_id == Call.id)
        .where(Call.conversation_id == conversation_id)
        .order_by(CallLeg.started_at, Recording.created_at, Transcript.id)
    ).all()
    lines = [
        f"{'caller' if said['channel'] == CALLER_CHANNEL else 'agent'}: {said['text']}"
        for transcript in heard
        for said in transcript.segments
    ]
    return Words("\n".join(lines), tuple(str(transcript.id) for transcript in heard))


def _written(db: Session, conversation_id: UUID) -> Words:
    written = db.scalars(
        select(Message).where(Message.conversation_id == conversation_id).order_by(Message.sent_at, Message.id)
    ).all()
    lines = [
        f"{'caller' if message.direction is Direction.INBOUND else 'agent'}: {message.body}" for message in written
    ]
    return Words("\n".join(lines), tuple(str(message.id) for message in written))
