"""What may be asked of copies: for each vendor, to follow up those of one business; and to find out whose are due."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


def _terms(vendor: str) -> Terms:
    """Return the terms of a vendor: a queue of its own, so that its limit and its pauses hold up no other's copies.

    One job a business at a time: a second one would ask for the same copies. Who is called again while it runs, runs
    once more at its end.
    """
    return Terms(
        queue=f"copies_{vendor}",
        priority=3,
        timeout=timedelta(minutes=5),
        unique_by=("business_id",),
        until_done=True,
        vendors=(vendor,),
        may_lack=True,
    )


class SweepCopies(Payload):
    """Find whose copies are due to be followed up, and have each vendor asked by a job of its own."""

    kind: ClassVar[str] = "copies.sweep"
    terms: ClassVar[Terms] = Terms(queue="upkeep", priority=3, unique_by=("as_of",), until_done=True)

    as_of: datetime


class FollowObjects(Payload):
    """Have what the bucket still has of a business deleted, every version of it, and read that back."""

    kind: ClassVar[str] = "copies.objects"
    terms: ClassVar[Terms] = _terms("objects")

    business_id: UUID


class FollowTwilio(Payload):
    """Have what Twilio still has of a business deleted, and read that back."""

    kind: ClassVar[str] = "copies.twilio"
    terms: ClassVar[Terms] = _terms("twilio")

    business_id: UUID


class FollowTelnyx(Payload):
    """Have what Telnyx still has of a business deleted, and read that back."""

    kind: ClassVar[str] = "copies.telnyx"
    terms: ClassVar[Terms] = _terms("telnyx")

    business_id: UUID


class FollowVapi(Payload):
    """Have what Vapi still has of a business deleted, and read that back."""

    kind: ClassVar[str] = "copies.vapi"
    terms: ClassVar[Terms] = _terms("vapi")

    business_id: UUID


class FollowElevenLabs(Payload):
    """Have what ElevenLabs still has of a business deleted, and read that back."""

    kind: ClassVar[str] = "copies.elevenlabs"
    terms: ClassVar[Terms] = _terms("elevenlabs")

    business_id: UUID


class FollowMeta(Payload):
    """Have what Meta still has of a business's WhatsApp deleted, and read that back."""

    kind: ClassVar[str] = "copies.meta"
    terms: ClassVar[Terms] = _terms("meta")

    business_id: UUID


class FollowDialog360(Payload):
    """Have what 360dialog still has of a business's WhatsApp deleted, and read that back."""

    kind: ClassVar[str] = "copies.dialog360"
    terms: ClassVar[Terms] = _terms("dialog360")

    business_id: UUID


class FollowGoogle(Payload):
    """Have what a business still has in calendars at Google deleted, and give the access to them back, last of all."""

    kind: ClassVar[str] = "copies.google"
    terms: ClassVar[Terms] = _terms("google")

    business_id: UUID


class FollowSupabase(Payload):
    """Have former members of a business, who are members nowhere any more, deleted where they sign in."""

    kind: ClassVar[str] = "copies.supabase"
    terms: ClassVar[Terms] = _terms("supabase")

    business_id: UUID


class FollowResend(Payload):
    """Have the addresses of a business's former members taken off Resend's list, and read that back."""

    kind: ClassVar[str] = "copies.resend"
    terms: ClassVar[Terms] = _terms("resend")

    business_id: UUID


class FollowLemonSqueezy(Payload):
    """Have the subscriptions of a business that is erased cancelled at the seller, and read that back."""

    kind: ClassVar[str] = "copies.lemon_squeezy"
    terms: ClassVar[Terms] = _terms("lemon_squeezy")

    business_id: UUID


FOLLOWS: Mapping[str, type[Payload]] = {
    "objects": FollowObjects,
    "twilio": FollowTwilio,
    "telnyx": FollowTelnyx,
    "vapi": FollowVapi,
    "elevenlabs": FollowElevenLabs,
    "meta": FollowMeta,
    "360dialog": FollowDialog360,
    "google": FollowGoogle,
    "supabase": FollowSupabase,
    "resend": FollowResend,
    "lemon_squeezy": FollowLemonSqueezy,
}
"""What follows up the copies of a store, by the name that remains give it."""


def following(store: str, business_id: UUID) -> Payload:
    """Return the payload that follows up a business's copies in a store; raises KeyError for one that nobody knows."""
    return FOLLOWS[store].read({"business_id": str(business_id)})
