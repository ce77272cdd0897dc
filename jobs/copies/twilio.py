"""copies.twilio: what Twilio still has of a business goes, and is read back; of a recording an entry lapses later."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowTwilio
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowTwilio)
class OfTwilio(Following):
    """Follow up what is at Twilio."""

    store = "twilio"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Twilio."""
        return follow(given, vendors.twilio, vendors.twilio.lapses_at)
