"""What may be asked of recordings."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from ledger.payload import Payload, Terms


class TranscribeRecording(Payload):
    """Turn one stored recording into text."""

    kind: ClassVar[str] = "recordings.transcribe"
    terms: ClassVar[Terms] = Terms(
        queue="speech",
        timeout=timedelta(minutes=12),
        unique_by=("recording_id",),
        vendors=("deepgram", "objects"),
    )

    recording_id: UUID
