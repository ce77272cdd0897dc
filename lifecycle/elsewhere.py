"""What an erasure cannot delete by a call: where it lies all the same, by which contract it goes, and when."""

from dataclasses import dataclass
from datetime import datetime

from models.contracts import Contract
from models.elsewhere import PLACES, Reach

RELIED_ON = (Reach.LAPSES, Reach.CONTRACT, Reach.BY_HAND)


@dataclass(frozen=True, slots=True)
class Reliance:
    """One place that an erasure reaches by no call of its own; None for a moment that nobody has promised."""

    place: str
    reach: Reach
    contract: Contract | None
    lapses_at: datetime | None


def reliances(erased_at: datetime) -> list[Reliance]:
    """List every such place of the data map, in its order, with the moment by which what lies there has lapsed.

    Copies that a call deletes are not among them, nor what a vendor keeps of those: their remains say that.
    """
    return [
        Reliance(
            place=place.name,
            reach=place.reach,
            contract=place.contract,
            lapses_at=erased_at + place.lapses_within if place.lapses_within else None,
        )
        for place in PLACES
        if place.reach in RELIED_ON
    ]
