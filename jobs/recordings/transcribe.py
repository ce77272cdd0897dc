"""recordings.transcribe: Deepgram hears a stored recording; its words are kept, and the conversation is summarized."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from jobs.conversations.payloads import SummarizeConversation
from jobs.recordings.payloads import TranscribeRecording
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.errors import GiveUp
from ledger.job import vendor_job
from ledger.outcome import Cancel, Known
from models.calls import Call, CallLeg
from models.conversations import Conversation
from models.recordings import Recording, RecordingState, Transcript
from providers.deepgram import Heard
from providers.vendors import Vendors

LINK_LASTS = timedelta(hours=1)
"""Deepgram may queue a recording before it fetches it."""


@dataclass(frozen=True, slots=True)
class Audio:
    """What is to be heard: the object's key, and the business as an opaque tag for the usage."""

    key: str
    tag: str


@vendor_job(TranscribeRecording)
class Transcribe:
    """Hear one recording."""

    def load(self, db: Session, payload: TranscribeRecording) -> Audio | Known[Heard | None] | Cancel:
        """Find the object; a recording that was heard already is not heard again."""
        recording = db.get(Recording, payload.recording_id)
        if recording is None or recording.state is RecordingState.DELETED or recording.object is None:
            return Cancel("recording_deleted")
        if _is_heard(db, recording):
            return Known(None)
        return Audio(recording.object, str(recording.business_id))

    def call(self, given: Audio, vendors: Vendors) -> Heard | None:
        """Hear it from a link of our own store that lasts an hour."""
        if vendors.objects.describe(given.key).bytes == 0:
            raise GiveUp("recording_empty", "The recording has no bytes.")
        return vendors.deepgram.transcribe(vendors.objects.presign(given.key, LINK_LASTS), tag=given.tag)

    def save(self, db: Session, payload: TranscribeRecording, answer: Heard | None) -> Cancel | None:
        """Keep the words; when no other recording of the conversation is still to be heard, go on with it."""
        recording = db.get(Recording, payload.recording_id, with_for_update={"key_share": True})
        if recording is None or recording.state is RecordingState.DELETED:
            return Cancel("recording_deleted")  # while it was heard: its words go with it
        if answer is not None and not _is_heard(db, recording):
            db.add(transcript(recording, answer))
            recording.seconds = answer.seconds
            recording.state = RecordingState.STORED  # it was unusable until somebody mended it
            db.flush()
        conversation_id = conversation_of(db, recording.id)
        # Two recordings of one call may end at once: the lock lets the second see that it is the last.
        db.execute(select(Conversation.id).where(Conversation.id == conversation_id).with_for_update(key_share=True))
        if not still_to_be_heard(db, conversation_id):
            enqueue(db, SummarizeConversation(conversation_id=conversation_id))
        return None

    def otherwise(self, db: Session, payload: TranscribeRecording) -> None:
        """What cannot be heard is marked; the conversation goes on with what was, or is metered as it is."""
        recording = db.get(Recording, payload.recording_id)
        if recording is None:
            return
        if recording.state is RecordingState.STORED:
            recording.state = RecordingState.UNUSABLE
            db.flush()
        conversation_id = conversation_of(db, recording.id)
        db.execute(select(Conversation.id).where(Conversation.id == conversation_id).with_for_update(key_share=True))
        if still_to_be_heard(db, conversation_id):
            return
        if heard_of(db, conversation_id):
            enqueue(db, SummarizeConversation(conversation_id=conversation_id))
        else:
            enqueue(db, MeterConversation(conversation_id=conversation_id))


def transcript(recording: Recording, heard: Heard) -> Transcript:
    """Return what was heard as a row."""
    return Transcript(
        business_id=recording.business_id,
        recording_id=recording.id,
        body=heard.text,
        segments=[
            {
                "channel": said.channel,
                "speaker": said.speaker,
                "start": float(said.start),
                "end": float(said.end),
                "text": said.text,
            }
            for said in heard.segments
        ],
        language=heard.language,
        seconds=heard.seconds,
        confidence=heard.confidence,
        request_ref=heard.request_ref,
    )


def conversation_of(db: Session, recording_id: UUID) -> UUID:
    """Return the conversation in which a recording was made."""
    return db.scalars(
        select(Call.conversation_id)
        .join(CallLeg, CallLeg.call_id == Call.id)
        .join(Recording, Recording.leg_id == CallLeg.id)
        .where(Recording.id == recording_id)
    ).one()


def recordings_of(conversation_id: UUID) -> Select[UUID]:
    """Select the ids of a conversation's recordings."""
    return (
        select(Recording.id)
        .join(CallLeg, Recording.leg_id == CallLeg.id)
        .join(Call, CallLeg.call_id == Call.id)
        .where(Call.conversation_id == conversation_id)
    )


def _is_heard(db: Session, recording: Recording) -> bool:
    return bool(db.scalar(select(exists().where(Transcript.recording_id == recording.id))))


def heard_of(db: Session, conversation_id: UUID) -> bool:
    """Whether any recording of the conversation was heard."""
    return bool(db.scalar(select(exists().where(Transcript.recording_id.in_(recordings_of(conversation_id))))))


def still_to_be_heard(db: Session, conversation_id: UUID) -> bool:
    """Whether a recording of the conversation waits to be heard."""
    waits = recordings_of(conversation_id).where(
        Recording.state.in_([RecordingState.PENDING, RecordingState.STORED]),
        ~exists().where(Transcript.recording_id == Recording.id),
    )
    return bool(db.scalar(select(waits.exists())))
