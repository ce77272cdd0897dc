"""What may be asked of erasures."""

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms

JOURNAL = Terms(queue="privacy_journal", priority=1, unique_by=("erasure_id",), vendors=("objects",))
"""What is written outside the database."""


class ResolveErasure(Payload):
    """Find out whom an erasure means; `confirm` says that whoever asked need not confirm what is beyond doubt."""

    kind: ClassVar[str] = "privacy.resolve"
    terms: ClassVar[Terms] = Terms(queue="privacy", priority=1, unique_by=("erasure_id",))

    erasure_id: UUID
    confirm: bool = False


class RecordErasure(Payload):
    """Write a confirmed erasure into the journal outside the database, so that a restored backup can repeat it."""

    kind: ClassVar[str] = "privacy.record"
    terms: ClassVar[Terms] = JOURNAL

    erasure_id: UUID


class EraseData(Payload):
    """Erase the rows that an erasure means, in batches."""

    kind: ClassVar[str] = "privacy.erase"
    terms: ClassVar[Terms] = Terms(
        queue="privacy",
        priority=1,
        timeout=timedelta(minutes=10),
        unique_by=("erasure_id",),
        until_done=True,
    )

    erasure_id: UUID


class VerifyErasure(Payload):
    """Wait until all copies are gone, read back that the rows are, and write the receipt."""

    kind: ClassVar[str] = "privacy.verify"
    terms: ClassVar[Terms] = JOURNAL

    erasure_id: UUID


class DepositReceipt(Payload):
    """Store a receipt outside the database, too."""

    kind: ClassVar[str] = "privacy.deposit"
    terms: ClassVar[Terms] = JOURNAL

    erasure_id: UUID


class ReplayErasure(Payload):
    """Repeat an erasure that the journal tells of, after a backup was restored that knows nothing of it."""

    kind: ClassVar[str] = "privacy.replay"
    terms: ClassVar[Terms] = JOURNAL

    erasure_id: UUID


class PruneJournal(Payload):
    """Delete the journal's entries that no backup can need any more."""

    kind: ClassVar[str] = "privacy.prune"
    terms: ClassVar[Terms] = Terms(
        queue="privacy_journal", priority=3, unique_by=("as_of",), vendors=("objects",), until_done=True
    )

    as_of: datetime


class CountMonths(Payload):
    """Count the months that are over into numbers of enough people of enough businesses."""

    kind: ClassVar[str] = "privacy.anonymize"
    terms: ClassVar[Terms] = Terms(
        queue="upkeep", priority=3, timeout=timedelta(minutes=10), unique_by=("as_of",), until_done=True
    )

    as_of: datetime
