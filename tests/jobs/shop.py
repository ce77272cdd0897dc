"""The web tier of a test: it writes what it knows of a business, its calls and its chats, one fact a transaction."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from models.accounts import Business, Member, Role, User
from models.calls import Call, CallLeg
from models.conversations import Channel, Conversation, Direction, Message, Part, Participant
from models.people import Identifier, IdentifierKind, Person
from models.recordings import Recording, RecordingState
from providers.s3 import Objects
from tests.jobs.house import House
from tests.jobs.spoken import BOOKING

MONDAY = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
LASTED = timedelta(seconds=75)
NUMBER = "+447700900123"
REACHED_BY = {
    Channel.WEB_CHAT: (IdentifierKind.CHAT_SESSION, "7f3c9a52-d1e4-4b0a-9c35-62a8f01d7be3"),
    Channel.WHATSAPP: (IdentifierKind.WA_ID, "447700900123"),
    Channel.SMS: (IdentifierKind.PHONE, NUMBER),
}


@dataclass(frozen=True)
class Told:
    """The ids of a conversation that the web tier wrote."""

    conversation: UUID
    person: UUID
    call: UUID | None = None
    recordings: tuple[UUID, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass
class Shop:
    """One business, as the web tier writes it."""

    house: House
    objects: Objects
    business: UUID = field(default_factory=uuid4)
    members: dict[str, UUID] = field(default_factory=dict)

    def open(self, *, details: bool = False, country: str = "GB", zone: str = "Europe/London") -> "Shop":
        """Write the business itself."""
        with self.house.acting_for(self.business) as db:
            db.add(
                Business(
                    id=self.business,
                    name="Harbour Repairs",
                    industry="repairs",
                    country=country,
                    zone=zone,
                    recording_on=True,
                    alert_details=details,
                )
            )
        return self

    def employ(self, email: str, *, alerts: bool = True) -> UUID:
        """Write somebody who works here."""
        user, member = uuid4(), uuid4()
        with self.house.acting_for(self.business) as db:
            # Not db.add: it reads the row back, which nobody sees who is not yet its member.
            db.execute(insert(User).values(id=user, email=email))
            row = Member(business_id=self.business, id=member, user_id=user, name=email, role=Role.STAFF, alerts=alerts)
            db.add(row)
        self.members[email] = member
        return member

    def call(
        self,
        *audio: bytes | None,
        number: str | None = NUMBER,
        seconds: int | None = 75,
        recorded: bool = True,
        ended_at: datetime | None = MONDAY + LASTED,
        state: RecordingState = RecordingState.STORED,
    ) -> Told:
        """Write an ended call with these recordings, one a leg, in one transaction; None is one that is not there."""
        conversation, person, call = uuid4(), uuid4(), uuid4()
        recordings = tuple(uuid4() for _ in audio)
        objects = tuple(f"{self.business}/recordings/{each}.wav" for each in recordings)
        for key, data in zip(objects, audio, strict=True):
            if data is not None:
                self.objects.put(key, data, "audio/wav")
        with self.house.acting_for(self.business) as db:
            reached_by = self._person(db, person, IdentifierKind.PHONE, number)
            self._conversation(db, conversation, person, Channel.CALL, ended_at)
            db.add(
                Call(
                    business_id=self.business,
                    id=call,
                    conversation_id=conversation,
                    from_identifier_id=reached_by,
                    seconds=seconds,
                    recorded=recorded,
                    event_key=digest(call),
                )
            )
            db.flush()
            for at, (recording, key) in enumerate(zip(recordings, objects, strict=True)):
                leg = CallLeg(
                    business_id=self.business, id=uuid4(), call_id=call, started_at=MONDAY + timedelta(seconds=30 * at)
                )
                db.add(leg)
                db.flush()
                db.add(
                    Recording(
                        business_id=self.business,
                        id=recording,
                        leg_id=leg.id,
                        object=key if state is RecordingState.STORED else None,
                        state=state,
                    )
                )
        return Told(conversation, person, call, recordings, objects)

    def booking(self) -> Told:
        """Write a call in which a visit is booked."""
        return self.call(BOOKING.audio)

    def chat(
        self, channel: Channel, messages: Sequence[tuple[str, str]], *, ended_at: datetime | None = MONDAY + LASTED
    ) -> Told:
        """Write an ended chat of (direction, body), in one transaction."""
        conversation, person = uuid4(), uuid4()
        with self.house.acting_for(self.business) as db:
            self._person(db, person, *REACHED_BY[channel])
            self._conversation(db, conversation, person, channel, None)
            for at, (direction, body) in enumerate(messages):
                db.add(self._message(conversation, person, direction, body, MONDAY + timedelta(seconds=at)))
            db.flush()
            db.execute(update(Conversation).where(Conversation.id == conversation).values(ended_at=ended_at))
        return Told(conversation, person)

    def writes(self, told: Told, body: str, *, at: timedelta = LASTED) -> UUID:
        """Write one more inbound message of a chat."""
        with self.house.acting_for(self.business) as db:
            message = self._message(told.conversation, told.person, "inbound", body, MONDAY + at)
            db.add(message)
            return message.id

    def erases(self, told: Told) -> None:
        """Delete a conversation with all that hangs on it, as the web tier may."""
        of_call = "call_id IN (SELECT id FROM live.calls WHERE conversation_id = :id)"
        of_leg = f"leg_id IN (SELECT id FROM live.call_legs WHERE {of_call})"
        with self.house.acting_for(self.business) as db:
            for statement in (
                f"transcripts WHERE recording_id IN (SELECT id FROM live.recordings WHERE {of_leg})",
                f"recordings WHERE {of_leg}",
                f"call_legs WHERE {of_call}",
                "calls WHERE conversation_id = :id",
                "messages WHERE conversation_id = :id",
                "summaries WHERE conversation_id = :id",
                "participants WHERE conversation_id = :id",
                "conversations WHERE id = :id",
            ):
                db.connection().exec_driver_sql(
                    f"DELETE FROM live.{statement}".replace(":id", "%(id)s"), {"id": told.conversation}
                )

    def _person(self, db: Any, person: UUID, kind: IdentifierKind, value: str | None) -> UUID | None:
        db.add(Person(business_id=self.business, id=person))
        db.flush()
        if value is None:
            return None
        reached_by = Identifier(business_id=self.business, id=uuid4(), person_id=person, kind=kind, value=value)
        db.add(reached_by)
        db.flush()
        return reached_by.id

    def _conversation(
        self, db: Any, conversation: UUID, person: UUID, channel: Channel, ended_at: datetime | None
    ) -> None:
        db.add(
            Conversation(
                business_id=self.business,
                id=conversation,
                person_id=person,
                channel=channel,
                started_at=MONDAY,
                ended_at=ended_at,
                event_key=digest(conversation),
            )
        )
        db.flush()
        db.add(Participant(business_id=self.business, conversation_id=conversation, person_id=person, role=Part.CALLER))

    def _message(self, conversation: UUID, person: UUID, direction: str, body: str, at: datetime) -> Message:
        return Message(
            business_id=self.business,
            id=(message := uuid4()),
            conversation_id=conversation,
            author_id=person if direction == "inbound" else None,
            direction=Direction(direction),
            body=body,
            sent_at=at,
            event_key=digest(message),
        )


def digest(fact: UUID) -> str:
    """Return the key of a fact, as the web tier makes it from a vendor's id."""
    return hashlib.sha256(fact.bytes).hexdigest()
