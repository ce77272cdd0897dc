"""Writes the sample data as the web tier does: logged in as its role, a business at a time, a fact a transaction."""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, create_engine, func, insert, select, update

from ledger.clock import now
from models.accounts import Business, Member, User
from models.base import Row
from models.calls import Call, CallLeg
from models.connections import PhoneLine
from models.conversations import Channel, Conversation, Message, Part, Participant
from models.people import Identifier, IdentifierKind, Person
from models.recordings import Recording, RecordingState
from providers.s3 import Objects
from sandbox.samples import SampleBusiness, SampleCall, SampleChat, businesses, calls, chats

SAMPLES = UUID("5a3d1e52-7c0b-4f4e-9a64-0d2a6f5b8c11")
BYTES_A_SECOND = 16_000  # 8 kHz, two channels, a byte a sample
APART = timedelta(minutes=7)
REACHED_BY = {
    Channel.WEB_CHAT: IdentifierKind.CHAT_SESSION,
    Channel.WHATSAPP: IdentifierKind.WA_ID,
    Channel.SMS: IdentifierKind.PHONE,
}


def sample_id(what: str, *of: str) -> UUID:
    """Return the id of a sample's row, the same at every load: `sample_id("conversation", "burst-pipe")`."""
    return uuid5(SAMPLES, "/".join((what, *of)))


def load(web_url: str, objects: Objects, most_calls: int | None = None) -> tuple[int, int]:
    """Write what is not there yet; return how many calls and chats were new. Loading twice changes nothing."""
    spoken = calls()[:most_calls]
    engine = create_engine(web_url, execution_options={"schema_translate_map": {"nexara": "live"}})
    try:
        for business in businesses():
            _add_business(engine, business)
        # The newest conversation comes last, as if the day had gone by while nobody looked.
        moments = (now() - APART * ago for ago in range(len(spoken) + len(chats()), 0, -1))
        new_calls = [_add_call(engine, objects, call, next(moments)) for call in spoken]
        new_chats = [_add_chat(engine, chat, next(moments)) for chat in chats()]
    finally:
        engine.dispose()
    return sum(new_calls), sum(new_chats)


def _add_business(engine: Engine, sample: SampleBusiness) -> bool:
    business = sample_id("business", sample.id)
    with _acting_for(engine, business) as db:
        if _is_there(db, Business, business):
            return False
        _add(
            db,
            Business,
            id=business,
            name=sample.name,
            industry=sample.industry,
            country=sample.country,
            zone=sample.zone,
            recording_on=True,
            alert_details=sample.alert_details,
        )
        for member in sample.members:
            user = sample_id("user", member.email)
            _add(db, User, id=user, email=member.email)
            _add(
                db,
                Member,
                business_id=business,
                id=sample_id("member", member.email),
                user_id=user,
                name=member.name,
                role=member.role,
                alerts=member.alerts,
            )
        _add(db, PhoneLine, business_id=business, id=sample_id("line", sample.id), number=sample.line)
    return True


def _add_call(engine: Engine, objects: Objects, sample: SampleCall, started: datetime) -> bool:
    business, conversation = sample_id("business", sample.business), sample_id("conversation", sample.id)
    with _acting_for(engine, business) as db:
        if _is_there(db, Conversation, conversation):
            return False
    audio = sample.audio.read_bytes()
    recording = sample_id("recording", sample.id)
    key = f"{business}/recordings/{recording}.wav"
    # Before the transaction: the job it enqueues must find the object there.
    objects.put(key, audio, "audio/wav")
    seconds = math.ceil(len(audio) / BYTES_A_SECOND)
    ended = started + timedelta(seconds=seconds)
    with _acting_for(engine, business) as db:
        person, reached_by = _add_person(db, business, sample.id, IdentifierKind.PHONE, sample.caller)
        _add(
            db,
            Conversation,
            business_id=business,
            id=conversation,
            person_id=person,
            channel=Channel.CALL,
            started_at=started,
            ended_at=ended,
            event_key=_digest("conversation", sample.id),
        )
        _add(db, Participant, business_id=business, conversation_id=conversation, person_id=person, role=Part.CALLER)
        call, leg = sample_id("call", sample.id), sample_id("leg", sample.id)
        _add(
            db,
            Call,
            business_id=business,
            id=call,
            conversation_id=conversation,
            from_identifier_id=reached_by,
            line_id=sample_id("line", sample.business),
            seconds=seconds,
            recorded=True,
            event_key=_digest("call", sample.id),
        )
        _add(db, CallLeg, business_id=business, id=leg, call_id=call, started_at=started, ended_at=ended)
        _add(
            db,
            Recording,
            business_id=business,
            id=recording,
            leg_id=leg,
            object=key,
            state=RecordingState.STORED,
            seconds=seconds,
            stored_at=now(),
        )
    return True


def _add_chat(engine: Engine, sample: SampleChat, started: datetime) -> bool:
    business, conversation = sample_id("business", sample.business), sample_id("conversation", sample.id)
    channel = Channel(sample.channel)
    kind = REACHED_BY[channel]
    # WhatsApp writes a number without its plus.
    contact = sample.contact.removeprefix("+") if kind is IdentifierKind.WA_ID else sample.contact
    with _acting_for(engine, business) as db:
        if _is_there(db, Conversation, conversation):
            return False
        person, _ = _add_person(db, business, sample.id, kind, contact)
        _add(
            db,
            Conversation,
            business_id=business,
            id=conversation,
            person_id=person,
            channel=channel,
            started_at=started,
            event_key=_digest("conversation", sample.id),
        )
        _add(db, Participant, business_id=business, conversation_id=conversation, person_id=person, role=Part.SENDER)
        for number, message in enumerate(sample.messages):
            _add(
                db,
                Message,
                business_id=business,
                conversation_id=conversation,
                author_id=person if message.direction == "inbound" else None,
                direction=message.direction,
                body=message.body,
                sent_at=started + timedelta(seconds=message.at),
                event_key=_digest("message", sample.id, str(number)),
            )
        ended = started + timedelta(seconds=sample.messages[-1].at)
        db.execute(update(Conversation).where(Conversation.id == conversation).values(ended_at=ended))
    return True


def _add_person(db: Connection, business: UUID, sample: str, kind: IdentifierKind, value: str) -> tuple[UUID, UUID]:
    """Write who was on the other side; return the ids of the person and of what they are reached by."""
    person, reached_by = sample_id("person", sample), sample_id("identifier", sample)
    _add(db, Person, business_id=business, id=person)
    _add(db, Identifier, business_id=business, id=reached_by, person_id=person, kind=kind, value=value)
    return person, reached_by


@contextmanager
def _acting_for(engine: Engine, business: UUID) -> Iterator[Connection]:
    with engine.begin() as db:
        db.execute(select(func.nexara.act_for(business)))
        yield db


def _is_there(db: Connection, row: type[Business | Conversation], of: UUID) -> bool:
    return db.execute(select(row.id).where(row.id == of)).first() is not None


def _add(db: Connection, row: type[Row], **values: Any) -> None:
    db.execute(insert(row).values(**values))


def _digest(*of: str) -> str:
    return hashlib.sha256("/".join(("sample", *of)).encode()).hexdigest()
