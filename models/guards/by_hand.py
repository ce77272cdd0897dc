"""What guards our tables and was written by hand, in migrations/sql or beside this file: known, not made here.

The catalog's wording of each is kept at every migrate; what is neither made from the map nor named here is reported by
`nexara.unmapped()` as none of ours.
"""

from models.base import Row, TenantRow
from models.data_map import Expires
from models.entries import rows, table_of

COUNTED = (
    *("businesses", "conversations", "calls", "call_legs", "recordings"),
    *("transcripts", "messages", "meter", "emails_sent"),
)
FACTS = ("conversations", "calls", "call_legs", "recordings", "transcripts")
ERASING = ("erasures", "provider_events", "waitlist", "contact_forms")
OURS = [row for row in rows() if table_of(row).schema == Row.metadata.schema]
SEEN = sorted(
    table_of(row).name for row in OURS if issubclass(row, TenantRow) or isinstance(row.__life__.ends, Expires)
)
"""What the house counts: every table of the tenants' rows, and of its own those that expire."""

BY_HAND = frozenset(
    {
        # models/guards/*.sql
        "function nexara.guards_found",
        "function nexara.unmapped",
        "function nexara.needles",
        "function nexara.leave_remains",
        "function nexara.leave_mentions",
        "function nexara.refuse_erased",
        "policy nexara.remains scribe",
        "policy nexara.mentions scribe",
        "policy nexara.tombstones scribe",
        "rights nexara.remains",
        "rights nexara.mentions",
        # migrations/sql/scope.sql, supabase.sql
        "function nexara.scope",
        "function nexara.act_for",
        "function public.enqueue_job_v1",
        "function public.enqueue_jobs_v1",
        # migrations/sql/arrival.sql
        "function nexara.event_key_v1",
        "function nexara.hmac_sha256",
        "function nexara.spelled",
        "function nexara.digest_of",
        "function nexara.bury_v1",
        "function nexara.open_erasure_v1",
        "function nexara.digests_v1",
        "function nexara.salt",
        "function nexara.salted",
        "trigger nexara.businesses salted",
        "function nexara.is_erased",
        "function nexara.is_going",
        "function nexara.told_identifiers",
        "function nexara.person_of",
        "function nexara.arrival_v1",
        # migrations/sql/statistics.sql
        "function nexara.analyze_v1",
        # migrations/sql/facts.sql
        "function nexara.recording_stored",
        "function nexara.thread_ended",
        "function nexara.call_ended",
        "function nexara.recording_gone",
        "trigger nexara.recordings recording_stored",
        "trigger nexara.recordings recording_gone",
        "trigger nexara.conversations thread_ended",
        "trigger nexara.conversations call_ended",
        "trigger nexara.calls call_ended",
        *(f"policy nexara.{table} facts" for table in FACTS),
        # migrations/sql/house.sql
        "function nexara.unmetered_v1",
        "function nexara.forgotten_v1",
        "function nexara.chain_open",
        "function nexara.still_to_come_v1",
        "function nexara.is_business_v1",
        *(f"policy nexara.{table} house" for table in COUNTED),
        *(f"rights nexara.{table}" for table in COUNTED),
        # migrations/sql/privacy.sql
        *(f"function nexara.{verb}_erasure_v1" for verb in ("ask", "decide", "confirm", "withdraw")),
        *(f"function nexara.{what}_v1" for what in ("erase", "erasures", "erasure_scope", "reviews", "receipts")),
        "function nexara.ask_erasure",
        # migrations/sql/waiting.sql
        "function nexara.erasure_alarms_v1",
        # migrations/sql/reviews.sql
        "function nexara.still_names",
        "function nexara.decide_review_v1",
        "function nexara.ask_again_v1",
        # migrations/sql/journal.sql
        "function nexara.journal_stays_v1",
        # migrations/sql/erasing.sql
        "function nexara.keep_frozen",
        "function nexara.forget_raw_v1",
        "trigger nexara.erasure_scope keep_frozen",
        *(f"policy nexara.{table} scribe" for table in ERASING),
        *(f"rights nexara.{table}" for table in ERASING),
        # migrations/sql/copies.sql
        "function nexara.copies_due_v1",
        "function nexara.user_of",
        "function nexara.sign_in_v1",
        "function nexara.forget_user_v1",
        *(f"policy nexara.{table} scribe" for table in ("members", "users")),
        *(f"rights nexara.{table}" for table in ("members", "users")),
        # lifecycle/due.py
        "function nexara.expired_v1",
        "function nexara.deadlines_v1",
        "function nexara.holdings_v1",
        "function nexara.forecast_v1",
        "function nexara.house_forecast_v1",
        *(f"policy nexara.{table} house" for table in SEEN),
        *(f"rights nexara.{table}" for table in SEEN),
        # models/guards/keep.sql
        "function nexara.keep_until",
        "function nexara.keep_until_v1",
        "policy nexara.businesses keep",
        "rights nexara.keep_periods",
        # migrations/sql/ending.sql
        "function nexara.access_ended",
        "function nexara.end_access",
        "function nexara.end_access_v1",
        "function nexara.ends_v1",
        "function nexara.business_erasing",
        "function nexara.no_way_back",
        "function nexara.retention_alarms_v1",
        "trigger nexara.subscriptions access_ended",
        "trigger nexara.businesses no_way_back",
        "trigger nexara.erasures business_erasing",
        *(f"policy nexara.{table} ending" for table in ("businesses", "subscriptions", "suppressions")),
        # migrations/sql/activity.sql
        "function nexara.count_month_v1",
        "function nexara.month_due_v1",
        "function nexara.uncounted_v1",
        *(f"policy nexara.{table} house" for table in ("activity", "activity_months")),
        *(f"rights nexara.{table}" for table in ("activity", "activity_months", "suppressions")),
    }
)
