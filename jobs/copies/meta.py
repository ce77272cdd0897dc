"""copies.meta: media of a business's WhatsApp go at Meta, and are read back as gone; messages lapse there."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowMeta
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowMeta)
class OfMeta(Following):
    """Follow up what is at Meta."""

    store = "meta"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Meta."""
        return follow(given, vendors.meta)
