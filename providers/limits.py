"""What the vendors say they take, as the limits that a new database begins with; on-call may set others."""

from datetime import timedelta
from typing import Final

from ledger.limits import Limit

LIMITS: Final = {
    "deepgram": Limit(most=100),
    "resend": Limit(calls=2, per=timedelta(seconds=1)),
    "lemon_squeezy": Limit(calls=300, per=timedelta(minutes=1)),
}
"""Deepgram: pre-recorded requests at once of a project (https://developers.deepgram.com/reference/api-rate-limits).
Resend: requests of a team (https://resend.com/docs/api-reference/rate-limit).
Lemon Squeezy: requests of a key, assumed (https://docs.lemonsqueezy.com/api/getting-started/requests#rate-limiting).
Anthropic's limits depend on the account's tier: set them with `nexara limits set`."""
WHY: Final = "What the vendor documents for an account; a larger plan takes more."
