"""What guards our tables and was written by hand, in migrations/sql or beside this file: known, not made here.

The catalog's wording of each is kept at every migrate; what is neither made from the map nor named here is reported by
`nexara.unmapped()` as none of ours.
"""

from models.base import TenantRow
from models.data_map import Expires
from models.entries import rows, table_of

COUNTED = (
    *("businesses", "conversations", "calls", "call_legs", "recordings"),
    *("transcripts", "messages", "meter", "emails_sent"),
)
FACTS = ("conversations", "calls", "call_legs", "recordings", "transcripts")
EXPIRING = sorted(
    table_of(row).name for row in rows() if issubclass(row, TenantRow) and isinstance(row.__life__.ends, Expires)
)

BY_HAND = frozenset(
    {
        # models/guards/*.sql
        "function nexara.guards_found",
        "function nexara.unmapped",
        "function nexara.needles",
        "function nexara.leave_remains",
        "function nexara.leave_mentions",
        "policy nexara.remains scribe",
        "policy nexara.mentions scribe",
        "rights nexara.remains",
        "rights nexara.mentions",
        # migrations/sql/scope.sql, supabase.sql
        "function nexara.scope",
        "function nexara.act_for",
        "function public.enqueue_job_v1",
        "function public.enqueue_jobs_v1",
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
        # migrations/sql/copies.sql
        "function nexara.copies_due_v1",
        "function nexara.user_of",
        "function nexara.sign_in_v1",
        "function nexara.forget_user_v1",
        *(f"policy nexara.{table} scribe" for table in ("members", "users")),
        *(f"rights nexara.{table}" for table in ("members", "users")),
        # lifecycle/due.py
        "function nexara.expired_v1",
        *(f"policy nexara.{table} house" for table in EXPIRING),
        *(f"rights nexara.{table}" for table in EXPIRING),
    }
)
