"""copies.dialog360: media of a business's WhatsApp go at 360dialog, and are read back; messages lapse there."""

from datetime import timedelta

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowDialog360
from ledger.job import vendor_job
from providers.vendors import Vendors


@vendor_job(FollowDialog360)
class OfDialog360(Following):
    """Follow up what is at 360dialog."""

    store = "360dialog"
    # To read back what is gone is to fail there, and five failures in an hour lock a number out: so few, and slowly.
    # What is not reached within the vendor's own period lapses by it.
    most = 4
    pause = timedelta(hours=1)

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask 360dialog."""
        return follow(given, vendors.dialog360)
