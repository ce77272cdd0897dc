"""What is made anew when a part of what it was made from has gone: by the table of the row that stays."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from jobs.conversations.payloads import SummarizeConversation
from ledger.enqueue import enqueue
from ledger.payload import Payload
from models.conversations import Conversation

MAKERS: Mapping[str, Callable[[UUID], Payload]] = {
    Conversation.__tablename__: lambda row_id: SummarizeConversation(conversation_id=row_id),
}
"""What is asked for, for each table whose rows several people share and whose derived rows go with one of them."""


def rederive(db: Session, derived: Sequence[tuple[str, UUID]]) -> None:
    """Have what was derived from these rows made anew from what is left of them."""
    for table, row_id in derived:
        enqueue(db, MAKERS[table](row_id))
