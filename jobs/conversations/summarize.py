"""conversations.summarize: Anthropic's model says what was wanted and agreed; then the lead is looked for."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.conversations.payloads import SummarizeConversation
from jobs.conversations.words import words_of
from jobs.leads.payloads import ExtractLead
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.job import vendor_job
from ledger.outcome import Cancel, Known
from models.conversations import Conversation
from models.leads import Summary
from providers.anthropic import Summarized
from providers.vendors import Vendors


@dataclass(frozen=True, slots=True)
class Talk:
    """What is to be summarized."""

    text: str
    channel: str


@vendor_job(SummarizeConversation)
class Summarize:
    """Summarize one conversation."""

    def load(self, db: Session, payload: SummarizeConversation) -> Talk | Known[Summarized | None] | Cancel:
        """Gather the words; the same words are not summarized twice, and silence not at all."""
        conversation = db.get(Conversation, payload.conversation_id)
        if conversation is None:
            return Cancel("conversation_deleted")
        words = words_of(db, conversation)
        summary = db.scalar(select(Summary).where(Summary.conversation_id == conversation.id))
        if not words.text or (summary is not None and summary.derived_from == list(words.sources)):
            return Known(None)
        return Talk(words.text, conversation.channel.value)

    def call(self, given: Talk, vendors: Vendors) -> Summarized | None:
        """Ask the model."""
        return vendors.anthropic.summarize(given.text, channel=given.channel)

    def save(self, db: Session, payload: SummarizeConversation, answer: Summarized | None) -> None:
        """Keep the summary, in the place of an older one, and look for the lead."""
        conversation = db.get_one(Conversation, payload.conversation_id)
        if answer is not None:
            found = db.scalar(select(Summary).where(Summary.conversation_id == conversation.id))
            summary = found or Summary(business_id=conversation.business_id, conversation_id=conversation.id)
            summary.derived_from = list(words_of(db, conversation).sources)
            summary.body = answer.body
            summary.model = answer.model
            summary.input_tokens = answer.input_tokens
            summary.output_tokens = answer.output_tokens
            db.add(summary)
        enqueue(db, ExtractLead(conversation_id=conversation.id))

    def otherwise(self, db: Session, payload: SummarizeConversation) -> None:
        """A conversation that cannot be summarized is metered and told of all the same."""
        if db.get(Conversation, payload.conversation_id) is not None:
            enqueue(db, MeterConversation(conversation_id=payload.conversation_id))
