"""leads.extract: who wants what, and how to reach them, as far as the conversation says; then it is metered."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from jobs.conversations.words import must_still_be_there, words_of
from jobs.leads.payloads import ExtractLead
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.errors import GiveUp
from ledger.job import vendor_job
from ledger.outcome import Cancel, Known
from models.accounts import Business
from models.calls import Call
from models.conversations import Conversation
from models.leads import Intent, Lead, Urgency
from models.people import Identifier, IdentifierKind
from providers.anthropic import Extracted
from providers.vendors import Vendors


@dataclass(frozen=True, slots=True)
class Talk:
    """What a lead is looked for in, and what its words mean there: "tomorrow at three" needs a day and a zone."""

    text: str
    channel: str
    today: date
    zone: str
    country: str
    caller_number: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the model found, checked, and the ids of the rows that it was found in."""

    lead: Extracted
    sources: tuple[str, ...]


@vendor_job(ExtractLead)
class Extract:
    """Look for the lead of one conversation."""

    def load(self, db: Session, payload: ExtractLead) -> Talk | Known[Found | None] | Cancel:
        """Gather the words; a lead that is there already is the business's now, and silence has none."""
        conversation = db.get(Conversation, payload.conversation_id)
        if conversation is None:
            return Cancel("conversation_deleted")
        words = words_of(db, conversation)
        if not words.text or _is_there(db, conversation):
            return Known(None)
        business = db.get_one(Business, conversation.business_id)
        return Talk(
            text=words.text,
            channel=conversation.channel.value,
            today=conversation.started_at.astimezone(_zone(business.zone)).date(),
            zone=business.zone,
            country=business.country,
            caller_number=_caller_number(db, conversation),
            sources=words.sources,
        )

    def call(self, given: Talk, vendors: Vendors) -> Found | None:
        """Ask the model; its answer is checked against what was said."""
        lead = vendors.anthropic.extract_lead(
            given.text,
            channel=given.channel,
            today=given.today,
            zone=given.zone,
            country=given.country,
            caller_number=given.caller_number,
        )
        return Found(lead, given.sources)

    def save(self, db: Session, payload: ExtractLead, answer: Found | None) -> Cancel | None:
        """Keep the lead if there is one, and meter the conversation."""
        # Two that run at once write one after the other; who only refers to the row does not wait.
        conversation = db.get(Conversation, payload.conversation_id, with_for_update={"key_share": True})
        if conversation is None:
            return Cancel("conversation_deleted")
        if answer is not None and is_lead(answer.lead):
            must_still_be_there(words_of(db, conversation), answer.sources)
            if not _is_there(db, conversation):
                db.add(_row(conversation, answer.lead))
        enqueue(db, MeterConversation(conversation_id=conversation.id))
        return None

    def otherwise(self, db: Session, payload: ExtractLead) -> None:
        """A conversation without a lead is metered and told of all the same."""
        if db.get(Conversation, payload.conversation_id) is not None:
            enqueue(db, MeterConversation(conversation_id=payload.conversation_id))


def is_lead(found: Extracted) -> bool:
    """Whether somebody wants something, or can be reached: a wrong number is no lead."""
    return Intent(found.intent) is not Intent.OTHER or any((found.name, found.phone, found.email, found.requested_at))


def _row(conversation: Conversation, lead: Extracted) -> Lead:
    return Lead(
        business_id=conversation.business_id,
        person_id=conversation.person_id,
        conversation_id=conversation.id,
        name=lead.name,
        phone=lead.phone,
        email=lead.email,
        intent=Intent(lead.intent),
        urgency=Urgency(lead.urgency),
        requested_at=lead.requested_at,
        verbatim=lead.verbatim,
    )


def _is_there(db: Session, conversation: Conversation) -> bool:
    return bool(db.scalar(select(exists().where(Lead.conversation_id == conversation.id))))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise GiveUp("zone_unknown", "The business's time zone is not one that we know.") from None


def _caller_number(db: Session, conversation: Conversation) -> str | None:
    """Return the number that called, or the only number the person is known by."""
    number = db.scalar(
        select(Identifier.value)
        .join(Call, Call.from_identifier_id == Identifier.id)
        .where(Call.conversation_id == conversation.id, Identifier.kind == IdentifierKind.PHONE)
    )
    if number is not None:
        return number
    known = db.scalars(
        select(Identifier.value)
        .where(Identifier.person_id == conversation.person_id, Identifier.kind == IdentifierKind.PHONE)
        .limit(2)
    ).all()
    return known[0] if len(known) == 1 else None
