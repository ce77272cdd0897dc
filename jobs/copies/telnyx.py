"""copies.telnyx: what Telnyx still has of a business goes, and is read back as gone; messages lapse there."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowTelnyx
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowTelnyx)
class OfTelnyx(Following):
    """Follow up what is at Telnyx."""

    store = "telnyx"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Telnyx."""
        return follow(given, vendors.telnyx)
