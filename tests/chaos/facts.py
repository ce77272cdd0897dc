"""What the web tier commits: conversations that have ended, each after a twin that it rolled back."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, func, insert, select, update

from ledger.clock import now
from models.accounts import Business, Member, Role, User
from models.base import Row
from models.calls import Call, CallLeg
from models.conversations import Channel, Conversation, Direction, Message
from models.people import Person
from models.recordings import Recording, RecordingState
from providers.s3 import Objects
from tests.sandbox.recordings import tone, wav

MEMBERS = 2
"""How many members of the business want to be told of each conversation; one more does not."""
MESSAGES = 3
SECONDS = 47
WORDS = "Hello, my name is Alex Morgan. My reference is {}. I would like to book an appointment, please."
ANSWER = "Of course, when suits you?"


@dataclass(frozen=True)
class Talk:
    """A conversation that the web tier wrote; `mark` is a word that is said in this one alone."""

    business: UUID
    channel: Channel
    mark: str
    id: UUID = field(default_factory=uuid4)
    recording: UUID = field(default_factory=uuid4)

    @property
    def object(self) -> str:
        return f"{self.business}/recordings/{self.recording}.wav"


@dataclass(frozen=True)
class Sound:
    """A recording that sounds like no other, and the word that is heard in it."""

    data: bytes
    mark: str

    @property
    def script(self) -> Mapping[str, Any]:
        return {"turns": [{"text": WORDS.format(self.mark), "channel": 0}, {"text": ANSWER, "channel": 1}]}


SOUNDS = [Sound(wav(tone(0.5, 300 + 10 * n), tone(0.5, 200)), f"SOUND{n:03}") for n in range(40)]
CANNED = {hashlib.sha256(sound.data).hexdigest(): sound.script for sound in SOUNDS}


class Web:
    """The web tier: logged in as its role, one business, a fact a transaction."""

    def __init__(self, engine: Engine, objects: Objects) -> None:
        self.business = uuid4()
        self.members = [uuid4() for _ in range(MEMBERS)]
        self.talks: list[Talk] = []
        self.withdrawn: list[Talk] = []
        self.engine = engine
        self.objects = objects
        self._sounds = iter(SOUNDS)
        self._open()

    def chat(self) -> Talk:
        """Commit a chat that has ended; its job is enqueued by the trigger on that fact."""
        return self._commit(lambda: Talk(self.business, Channel.WEB_CHAT, f"CHAT{uuid4().hex[:12]}"))

    def call(self) -> Talk:
        """Commit a call whose recording is stored, likewise."""
        sound = next(self._sounds)
        return self._commit(lambda: Talk(self.business, Channel.CALL, sound.mark), sound)

    def _commit(self, make: Callable[[], Talk], sound: Sound | None = None) -> Talk:
        withdrawn, kept = make(), make()
        for talk in (withdrawn, kept):
            if sound is not None:
                self.store(talk.object, sound.data)
            with self.acting() as db:
                write(db, talk)
                if talk is withdrawn:
                    db.rollback()
        self.withdrawn.append(withdrawn)
        self.talks.append(kept)
        return kept

    def store(self, key: str, data: bytes) -> None:
        """Store a sound in the bucket."""
        self.objects.put(key, data, "audio/wav")

    @contextmanager
    def acting(self) -> Iterator[Connection]:
        """Open a transaction for the business; commit at its end."""
        with self.engine.connect() as db:
            db.execute(select(func.nexara.act_for(self.business)))
            yield db
            db.commit()

    def _open(self) -> None:
        with self.acting() as db:
            add(db, Business, id=self.business, name="A house", industry="plumbing", country="GB", zone="UTC")
            for number, member in enumerate([*self.members, uuid4()]):
                user = uuid4()
                add(db, User, id=user, email=f"member-{number}@{self.business.hex}.example")
                add(
                    db,
                    Member,
                    business_id=self.business,
                    id=member,
                    user_id=user,
                    name="A member",
                    role=Role.STAFF,
                    alerts=number < MEMBERS,
                )


def write(db: Connection, talk: Talk) -> None:
    """Write a conversation that has ended, with all that belongs to it."""
    started = now() - timedelta(minutes=20)
    person = uuid4()
    own = {"business_id": talk.business}
    add(db, Person, **own, id=person)
    add(
        db,
        Conversation,
        **own,
        id=talk.id,
        person_id=person,
        channel=talk.channel,
        started_at=started,
        event_key=digest(talk.id, "conversation"),
    )
    if talk.channel is Channel.CALL:
        _write_call(db, talk)
    else:
        _write_messages(db, talk)
    ended = started + timedelta(seconds=SECONDS)
    db.execute(update(Conversation).where(Conversation.id == talk.id).values(ended_at=ended))


def _write_call(db: Connection, talk: Talk) -> None:
    call, leg = uuid4(), uuid4()
    own = {"business_id": talk.business}
    key = digest(talk.id, "call")
    add(db, Call, **own, id=call, conversation_id=talk.id, seconds=SECONDS, recorded=True, event_key=key)
    add(db, CallLeg, **own, id=leg, call_id=call)
    stored = RecordingState.STORED
    add(db, Recording, **own, id=talk.recording, leg_id=leg, object=talk.object, state=stored, stored_at=now())


def _write_messages(db: Connection, talk: Talk) -> None:
    for number in range(MESSAGES):
        inbound = number % 2 == 0
        add(
            db,
            Message,
            business_id=talk.business,
            conversation_id=talk.id,
            direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
            body=WORDS.format(talk.mark) if inbound else ANSWER,
            sent_at=now(),
            event_key=digest(talk.id, f"message-{number}"),
        )


def add(db: Connection, row: type[Row], **values: Any) -> None:
    db.execute(insert(row).values(**values))


def digest(talk: UUID, what: str) -> str:
    return hashlib.sha256(f"{talk}/{what}".encode()).hexdigest()
