"""copies.vapi: what Vapi still has of a business goes, and is read back as gone."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowVapi
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowVapi)
class OfVapi(Following):
    """Follow up what is at Vapi."""

    store = "vapi"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Vapi."""
        return follow(given, vendors.vapi)
