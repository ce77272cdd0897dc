"""alerts.send: tells a member of the business, once, that somebody called or wrote."""

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobs.alerts.mail import Facts, render
from jobs.alerts.payloads import SendAlert
from ledger.job import vendor_job
from ledger.outcome import Cancel, Known
from models.accounts import Business, Member, User
from models.conversations import Conversation
from models.leads import Lead, Summary
from models.mail import EmailSent, MailState
from providers.resend import Sent
from providers.vendors import Vendors


@dataclass(frozen=True, slots=True)
class Letter:
    """Whom to tell what, and the key under which it goes out once."""

    to: str
    facts: Facts
    key: str
    alert: str


@vendor_job(SendAlert)
class Send:
    """Send one alert."""

    def load(self, db: Session, payload: SendAlert) -> Letter | Known[Sent] | Cancel:
        """Gather what may be told: without the business's leave no name, number or word of the caller."""
        if _sent(db, payload):
            return Cancel("already_sent")
        member = db.get(Member, payload.member_id)
        conversation = db.get(Conversation, payload.conversation_id)
        if member is None or not member.alerts:
            return Cancel("alerts_off")
        if conversation is None:
            return Cancel("conversation_deleted")
        address = db.scalar(select(User.email).where(User.id == member.user_id))
        if address is None:
            return Cancel("member_has_no_address")
        return Letter(
            to=address,
            facts=_facts(db, conversation),
            # Of the fact alone: were the body in it, a lead corrected between two attempts would be mailed twice.
            key=f"{payload.alert}/{payload.conversation_id}/{payload.member_id}",
            alert=payload.alert.value,
        )

    def call(self, given: Letter, vendors: Vendors) -> Sent:
        """Send it."""
        letter = render(given.facts, vendors.public_url)
        return vendors.resend.send(
            to=given.to,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            idempotency_key=given.key,
            tags={"alert": given.alert},
        )

    def save(self, db: Session, payload: SendAlert, answer: Sent) -> Cancel | None:
        """Note that it went out; neither its address nor its words are kept."""
        member = db.get(Member, payload.member_id)
        if member is None:
            return Cancel("member_deleted")  # with whom every note of their mails goes
        about = db.get(Conversation, payload.conversation_id)
        note = insert(EmailSent).values(
            business_id=member.business_id,
            to_member=member.id,
            template=payload.alert.value,
            conversation_id=about and about.id,
            resend_ref=answer.ref,
            state=MailState.ALREADY_SENT if answer.already else MailState.SENT,
        )
        db.execute(note.on_conflict_do_nothing())  # two at once send one mail, under its key
        return None


def _sent(db: Session, payload: SendAlert) -> bool:
    return bool(
        db.scalar(
            select(
                exists().where(
                    EmailSent.to_member == payload.member_id,
                    EmailSent.conversation_id == payload.conversation_id,
                    EmailSent.template == payload.alert.value,
                )
            )
        )
    )


def _facts(db: Session, conversation: Conversation) -> Facts:
    business = db.get_one(Business, conversation.business_id)
    lead = db.scalar(select(Lead).where(Lead.conversation_id == conversation.id))
    facts = Facts(
        conversation_id=conversation.id,
        channel=conversation.channel.value,
        intent=lead.intent.value if lead else None,
        urgency=lead.urgency.value if lead else None,
    )
    if not business.alert_details:
        return facts
    return facts.with_details(
        zone=business.zone,
        name=lead.name if lead else None,
        phone=lead.phone if lead else None,
        email=lead.email if lead else None,
        requested_at=lead.requested_at if lead else None,
        summary=db.scalar(select(Summary.body).where(Summary.conversation_id == conversation.id)),
    )
