"""copies.objects: what the bucket still has of a business goes, every version and unfinished upload of each object."""

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowObjects
from ledger.job import vendor_job
from providers.copies import Gone
from providers.s3 import Objects
from providers.vendors import Vendors


@vendor_job(FollowObjects)
class OfObjects(Following):
    """Follow up what is in the bucket."""

    store = "objects"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask the store."""
        return follow(given, Keys(vendors.objects))


class Keys:
    """The bucket as one that holds copies: whatever it is, it is an object by its key."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def delete(self, what: str, ref: str) -> Gone:  # noqa: ARG002 - a recording and a picture are objects alike
        """Delete an object."""
        self._objects.delete(ref)
        return Gone()

    def gone(self, what: str, ref: str) -> bool:  # noqa: ARG002 - as above
        """Return whether nothing is left of it."""
        return self._objects.gone(ref)
