"""The words of a conversation, as a model is shown them: one line an utterance, by caller or agent."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import TryAgain
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


def must_still_be_there(now: Words, sources: tuple[str, ...]) -> None:
    """Raise TryAgain if words that an answer was made from were deleted meanwhile: they must not come back in it."""
    if not set(sources) <= set(now.sources):
        raise TryAgain("words_deleted", "Words that this was made from were deleted meanwhile.")


def _spoken(db: Session, conversation_id: UUID) -> Words:
    heard = db.scalars(
        select(Transcript)
        .join(Recording, Transcript.recording_id == Recording.id)
        .join(CallLeg, Recording.leg_id == CallLeg.id)
        .join(Call, CallLeg.call_id == Call.id)
        .where(Call.conversation_id == conversation_id)
        .order_by(CallLeg.started_at, Recording.created_at, Transcript.id)
    ).all()
    said = (
        (segment["channel"] == CALLER_CHANNEL, segment["text"])
        for transcript in heard
        for segment in transcript.segments
    )
    return Words(_lines(said), tuple(str(transcript.id) for transcript in heard))


def _written(db: Session, conversation_id: UUID) -> Words:
    written = db.scalars(
        select(Message).where(Message.conversation_id == conversation_id).order_by(Message.sent_at, Message.id)
    ).all()
    said = ((message.direction is Direction.INBOUND, message.body) for message in written)
    return Words(_lines(said), tuple(str(message.id) for message in written))


def _lines(said: Iterable[tuple[bool, str]]) -> str:
    """Write a line for each that has words; on one line, so that no caller begins another in the agent's name."""
    lines = ((of_caller, " ".join(words.split())) for of_caller, words in said)
    return "\n".join(f"{'caller' if of_caller else 'agent'}: {words}" for of_caller, words in lines if words)
