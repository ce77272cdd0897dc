"""conversations.summarize: Anthropic's model says what was wanted and agreed; then the lead is looked for."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.conversations.payloads import SummarizeConversation
from jobs.conversations.words import must_still_be_there, words_of
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
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """What the model made of it, and the ids of the rows it was made from."""

    said: Summarized
    sources: tuple[str, ...]


@vendor_job(SummarizeConversation)
class Summarize:
    """Summarize one conversation."""

    def load(self, db: Session, payload: SummarizeConversation) -> Talk | Known[Note | None] | Cancel:
        """Gather the words; the same words are not summarized twice, and silence not at all."""
        conversation = db.get(Conversation, payload.conversation_id)
        if conversation is None:
            return Cancel("conversation_deleted")
        words = words_of(db, conversation)
        summary = db.scalar(select(Summary).where(Summary.conversation_id == conversation.id))
        if not words.text or (summary is not None and summary.derived_from == list(words.sources)):
            return Known(None)
        return Talk(words.text, conversation.channel.value, words.sources)

    def call(self, given: Talk, vendors: Vendors) -> Note | None:
        """Ask the model."""
        return Note(vendors.anthropic.summarize(given.text, channel=given.channel), given.sources)

    def save(self, db: Session, payload: SummarizeConversation, answer: Note | None) -> Cancel | None:
        """Keep the summary, in the place of an older one, and look for the lead."""
        # Two that run at once write one after the other; who only refers to the row does not wait.
        conversation = db.get(Conversation, payload.conversation_id, with_for_update={"key_share": True})
        if conversation is None:
            return Cancel("conversation_deleted")
        if answer is not None:
            _keep(db, conversation, answer)
        enqueue(db, ExtractLead(conversation_id=conversation.id))
        return None

    def otherwise(self, db: Session, payload: SummarizeConversation) -> None:
        """A conversation that cannot be summarized is metered and told of all the same."""
        if db.get(Conversation, payload.conversation_id) is not None:
            enqueue(db, MeterConversation(conversation_id=payload.conversation_id))


def _keep(db: Session, conversation: Conversation, note: Note) -> None:
    words = words_of(db, conversation)
    must_still_be_there(words, note.sources)
    found = db.scalar(select(Summary).where(Summary.conversation_id == conversation.id))
    if found is not None and found.derived_from == list(words.sources):
        return  # one that knows all the words came first
    summary = found or Summary(business_id=conversation.business_id, conversation_id=conversation.id)
    # Not the words of now: what came meanwhile is not in it, and is summarized next.
    summary.derived_from = list(note.sources)
    summary.body = note.said.body
    summary.model = note.said.model
    summary.input_tokens = note.said.input_tokens
    summary.output_tokens = note.said.output_tokens
    db.add(summary)
