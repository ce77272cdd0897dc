"""What we take from Twilio's answers, checked: its SDK makes objects full of None of any JSON at all."""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from providers.voice import Carried, Direction, Length, Moment, Part, Ref, Status

ENDED: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class Entry(Part):
    """A resource of any kind."""

    sid: Ref


class Recording(Entry):
    """The entry of a recording, which outlives its sound."""

    status: Status
    channels: Annotated[int, Field(ge=1, le=2)] | None = None
    date_updated: Moment | None = None


class Call(Entry):
    """What we take of a call: nobody's number."""

    start_time: Moment
    duration: Length | None
    direction: str | None
    status: Status


def carried(call: Call) -> Carried:
    """Return the call as all vendors' are compared."""
    direction: Direction | None = None
    if call.direction == "inbound":
        direction = "inbound"
    elif call.direction and call.direction.startswith("outbound"):
        direction = "outbound"
    seconds: Decimal | None = call.duration
    return Carried(
        ref=call.sid,
        started_at=call.start_time,
        seconds=seconds,
        direction=direction,
        status=call.status,
        ended=call.status in ENDED,
    )
