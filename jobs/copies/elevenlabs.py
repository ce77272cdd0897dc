"""copies.elevenlabs: what ElevenLabs still has of a business goes, and is read back as gone."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowElevenLabs
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowElevenLabs)
class OfElevenLabs(Following):
    """Follow up what is at ElevenLabs."""

    store = "elevenlabs"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask ElevenLabs."""
        return follow(given, vendors.elevenlabs)
