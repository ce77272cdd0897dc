"""What on-call asks of the ledger: read-only, bounded, and by index however many jobs there are."""

from ledger.queries.audit import AuditFilter, AuditPage, AuditRow, list_audit, read_job_audit
from ledger.queries.batches import (
    BatchSeen,
    FollowUp,
    MemberSeen,
    list_batches,
    list_members,
    read_batch,
    read_batches_of,
)
from ledger.queries.came_of import CameOf, read_came_of
from ledger.queries.catalogue import Kind, TickSeen, read_kinds, read_ticks
from ledger.queries.counts import StateCount, count_states
from ledger.queries.durations import Took, read_durations
from ledger.queries.failures import FailureGroup, group_failures
from ledger.queries.job import Attempt, JobSeen, LastError
from ledger.queries.limits import LimitSeen, read_limits
from ledger.queries.listing import Page, count_beside, count_jobs, list_jobs
from ledger.queries.looking import looking
from ledger.queries.order import JobFilter
from ledger.queries.pace import Slot, Span, counted_until, read_pace
from ledger.queries.queues import Overdue, QueueSeen, read_overdue, read_queues
from ledger.queries.running import Running, read_running
from ledger.queries.story import Link, Story, read_story
from ledger.queries.transactions import OpenTransaction, read_oldest
from ledger.queries.walk import BadCursor
from ledger.queries.workers import WorkerSeen, read_workers

__all__ = [
    "Attempt",
    "AuditFilter",
    "AuditPage",
    "AuditRow",
    "BadCursor",
    "BatchSeen",
    "CameOf",
    "FailureGroup",
    "FollowUp",
    "JobFilter",
    "JobSeen",
    "Kind",
    "LastError",
    "LimitSeen",
    "Link",
    "MemberSeen",
    "Minute",
    "OpenTransaction",
    "Overdue",
    "Page",
    "QueueSeen",
    "Running",
    "Slot",
    "Span",
    "StateCount",
    "Story",
    "TickSeen",
    "Took",
    "WorkerSeen",
    "count_beside",
    "count_jobs",
    "count_states",
    "counted_until",
    "group_failures",
    "list_audit",
    "list_batches",
    "list_jobs",
    "list_members",
    "looking",
    "read_batch",
    "read_batches_of",
    "read_came_of",
    "read_durations",
    "read_job_audit",
    "read_kinds",
    "read_limits",
    "read_oldest",
    "read_overdue",
    "read_pace",
    "read_queues",
    "read_running",
    "read_story",
    "read_ticks",
    "read_workers",
]
