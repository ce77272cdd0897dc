"""What we take from Deepgram's answer, checked: its SDK builds objects full of None from any JSON at all."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from providers.plain import Plain

A_WEEK = 7 * 24 * 3600


def _or_none(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Leave out what is wrong beside the words: the transcript itself is paid for."""
    try:
        return check(value)
    except ValidationError:
        return None


Seconds = Annotated[float, Field(ge=0, le=A_WEEK, allow_inf_nan=False)]
Confidence = Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False), WrapValidator(_or_none)]
Speaker = Annotated[int | None, Field(ge=0, le=1000), WrapValidator(_or_none)]
# As models/kinds.py has it: "multi", which Deepgram is asked for, is no language.
Language = Annotated[str | None, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"), WrapValidator(_or_none)]
Languages = Annotated[list[Language] | None, WrapValidator(_or_none)]


@dataclass(frozen=True, slots=True)
class Segment:
    """What one speaker said in one go on one channel; times are seconds from the start."""

    channel: int
    speaker: int | None
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording's words; `text` is the segments' text in the order of time, a line each."""

    text: str
    segments: tuple[Segment, ...]
    seconds: Decimal
    language: str | None
    confidence: float | None
    request_ref: str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Alternative(_Part):
    transcript: Plain
    confidence: Confidence = None
    languages: Languages = None


class _Channel(_Part):
    alternatives: list[_Alternative] = Field(min_length=1)
    detected_language: Language = None

    @property
    def best(self) -> _Alternative:
        return self.alternatives[0]

    @property
    def language(self) -> str | None:
        return self.best.languages[0] if self.best.languages else self.detected_language


class _Utterance(_Part):
    start: Seconds
    end: Seconds
    transcript: Plain
    channel: Annotated[int, Field(ge=0, le=1000)] | None = None
    speaker: Speaker = None


class _Results(_Part):
    channels: list[_Channel] = Field(min_length=1)
    utterances: list[_Utterance] | None = None


class _Metadata(_Part):
    request_id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")
    duration: Seconds


class _Reply(_Part):
    metadata: _Metadata
    results: _Results


class _Project(_Part):
    project_id: str


class Projects(_Part):
    """The answer to the question which projects a key may see."""

    projects: list[_Project]


def heard(answer: object) -> Heard:
    """Return what the SDK's answer says; raise pydantic's ValidationError when it is no transcript."""
    reply = _Reply.model_validate(answer, from_attributes=True)
    segments = tuple(sorted(_segments(reply), key=lambda segment: (segment.start, segment.channel, segment.end)))
    spoken = sorted((c for c in reply.results.channels if c.best.transcript), key=lambda c: -len(c.best.transcript))
    sure = [channel.best.confidence for channel in spoken if channel.best.confidence is not None]
    return Heard(
        text="\n".join(segment.text for segment in segments),
        segments=segments,
        seconds=Decimal(str(reply.metadata.duration)).quantize(Decimal("0.001")),
        language=next((channel.language for channel in spoken if channel.language), None),
        confidence=sum(sure) / len(sure) if sure else None,
        request_ref=reply.metadata.request_id,
    )


def _segments(reply: _Reply) -> list[Segment]:
    utterances = [said for said in reply.results.utterances or [] if said.transcript]
    if utterances:
        return [Segment(u.channel or 0, u.speaker, u.start, max(u.start, u.end), u.transcript) for u in utterances]
    # The words without their utterances are still the words: a segment a channel.
    return [
        Segment(number, None, 0.0, reply.metadata.duration, channel.best.transcript)
        for number, channel in enumerate(reply.results.channels)
        if channel.best.transcript
    ]
