"""copies.lemon_squeezy: subscriptions of a business that is erased end at the seller, and are read back as ended."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from jobs.copies.asking import Copies, Followed, Stands, follow
from jobs.copies.following import Following
from jobs.copies.payloads import FollowLemonSqueezy
from ledger.job import vendor_job
from models.billing import Subscription, SubscriptionStatus
from models.traces import Remains, RemainsState
from providers.vendors import Vendors

OVER = (SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED)


@vendor_job(FollowLemonSqueezy)
class OfLemonSqueezy(Following):
    """Follow up what still runs at Lemon Squeezy; what it keeps of it, it keeps as the seller."""

    store = "lemon_squeezy"

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Lemon Squeezy."""
        return follow(given, vendors.lemon_squeezy)

    def _write(self, db: Session, row: Remains, stands: Stands) -> None:
        if stands.state is RemainsState.CONFIRMED:
            ours = Subscription.subscription_ref == row.ref, Subscription.status.not_in(OVER)
            ended = update(Subscription).where(*ours).values(status=SubscriptionStatus.CANCELLED)
            db.execute(ended.execution_options(synchronize_session=False))
        super()._write(db, row, stands)
