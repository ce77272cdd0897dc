"""copies.resend: addresses of a business's former members go from Resend's list, and are read back as gone."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowResend
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowResend)
class OfResend(Following):
    """Follow up what is at Resend."""

    store = "resend"
    keeps_digest = False
    most = 5

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Resend."""
        return follow(given, vendors.resend)
