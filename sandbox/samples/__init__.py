"""The demo's sample data, read from the readable files beside this one: invented businesses, calls and chats."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent

Speaker = Literal["caller", "agent"]
Channel = Literal["web_chat", "whatsapp", "sms"]
Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True)
class SampleMember:
    """Somebody who works at a sample business, and whether they get its alerts."""

    name: str
    email: str
    role: Literal["owner", "staff"]
    alerts: bool


@dataclass(frozen=True)
class SampleBusiness:
    """An invented business; `id` is a word that calls and chats name it by, `line` the number customers call."""

    id: str
    name: str
    industry: str
    country: str
    zone: str
    alert_details: bool
    line: str
    members: tuple[SampleMember, ...]


@dataclass(frozen=True)
class SampleLead:
    """What a careful listener notes of a conversation: only what was said, None for what was not.

    `requested` is a weekday and an hour in the business's own zone, as "Tuesday 15:00".
    """

    intent: str
    urgency: str
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    requested: str | None = None


@dataclass(frozen=True)
class SampleTurn:
    """One speaker's words, until the other one speaks."""

    speaker: Speaker
    text: str


@dataclass(frozen=True)
class SampleCall:
    """A scripted phone call with its spoken audio; `caller` is the number it came from."""

    id: str
    business: str
    caller: str
    voices: dict[Speaker, str]
    stretch: float
    lead: SampleLead
    turns: tuple[SampleTurn, ...]

    @property
    def audio(self) -> Path:
        """Return where its recording is: two channels (0 the caller, 1 the agent), 8 kHz, mu-law."""
        return HERE / "audio" / f"{self.id}.wav"


@dataclass(frozen=True)
class SampleMessage:
    """One message of a chat, `at` seconds after its start."""

    at: int
    direction: Direction
    body: str


@dataclass(frozen=True)
class SampleChat:
    """A scripted chat; `contact` is the number it came from, or the browser's session for a web chat."""

    id: str
    business: str
    channel: Channel
    contact: str
    lead: SampleLead
    messages: tuple[SampleMessage, ...]


def businesses() -> tuple[SampleBusiness, ...]:
    """Return the sample businesses with their members."""
    return tuple(
        SampleBusiness(**{**entry, "members": tuple(SampleMember(**member) for member in entry["members"])})
        for entry in _entries("businesses.toml", "business")
    )


def calls() -> tuple[SampleCall, ...]:
    """Return the sample calls."""
    return tuple(_call(entry) for entry in _entries("calls.toml", "call"))


def chats() -> tuple[SampleChat, ...]:
    """Return the sample chats."""
    return tuple(_chat(entry) for entry in _entries("chats.toml", "chat"))


def _call(entry: dict[str, Any]) -> SampleCall:
    return SampleCall(
        id=entry["id"],
        business=entry["business"],
        caller=entry["caller"],
        voices={"caller": entry["voices"]["caller"], "agent": entry["voices"]["agent"]},
        stretch=entry["voices"]["stretch"],
        lead=SampleLead(**entry["lead"]),
        turns=tuple(SampleTurn(speaker, text) for turn in entry["turns"] for speaker, text in turn.items()),
    )


def _chat(entry: dict[str, Any]) -> SampleChat:
    return SampleChat(
        **{
            **entry,
            "lead": SampleLead(**entry["lead"]),
            "messages": tuple(SampleMessage(**message) for message in entry["messages"]),
        }
    )


def _entries(file: str, table: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads((HERE / file).read_text(encoding="utf-8"))[table]
    return entries
