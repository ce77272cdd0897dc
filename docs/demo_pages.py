"""Every page of the dashboard over the made-up ledger: for pictures, and for the tests that walk all of them."""

import re

from sqlalchemy import Connection

PAGES = {
    "overview": "/",
    "jobs": "/jobs?state=retryable",
    "job": "/jobs/{SELECT max(id) FROM ledger.jobs WHERE state = 'dead' AND kind = 'leads.extract'}",
    "running": "/jobs/{SELECT min(id) FROM ledger.jobs WHERE state = 'running' AND progress IS NOT NULL}",
    "edit": "/jobs/{SELECT max(id) FROM ledger.jobs WHERE state = 'dead' AND kind = 'leads.extract'}/edit",
    "snooze": "/jobs/{SELECT max(id) FROM ledger.jobs WHERE state = 'retryable'}/snooze",
    "discard": "/jobs/{SELECT max(id) FROM ledger.jobs WHERE state = 'dead'}/discard",
    "enqueue": "/enqueue",
    "enqueue-kind": "/enqueue?kind=alerts.send",
    "failures": "/failures",
    "failure": "/failures/{SELECT min(fingerprint) FROM ledger.jobs WHERE state = 'retryable'}",
    "operations": "/operations",
    "operation": "/operations/{SELECT id FROM ledger.operations ORDER BY created_at LIMIT 1}",
    "operate": "/operations/new?action=retry&kind=leads.extract&state=dead",
    "cancel": "/operations/{SELECT id FROM ledger.operations ORDER BY created_at LIMIT 1}/cancel",
    "batches": "/batches",
    "batch": "/batches/{SELECT id FROM ledger.batches LIMIT 1}",
    "queues": "/queues",
    "resume": "/pauses/{SELECT min(id) FROM ledger.pauses WHERE ended_at IS NULL}/end",
    "kinds": "/kinds",
    "kind": "/kinds/recordings.transcribe",
    "schedules": "/schedules",
    "schedule": "/schedules/recovery",
    "privacy": "/privacy",
    "erasures": "/privacy/erasures",
    "erasure": "/privacy/erasures/{SELECT business_id || '/' || erasure_id FROM nexara.reviews LIMIT 1}",
    "erase": "/privacy/erasures/new",
    "confirm": (
        "/privacy/erasures/{SELECT business_id || '/' || id FROM nexara.erasures WHERE state = 'resolving'}/confirm"
    ),
    "calendar": "/privacy/calendar",
    "data-map": "/privacy/map?q=recording",
    "billing": "/billing",
    "audit": "/audit",
    "operators": "/operators",
    "operator": "/operators/vic",
    "me": "/me",
}
"""Pages by the name of their picture; in braces stands what the ledger is asked."""
OF_OFFICER = ("erase", "confirm")
"""Those that a privacy officer alone is shown."""


def addresses(db: Connection) -> dict[str, str]:
    """Return the pages' addresses in the filled ledger; the connection is a superuser's."""
    return {name: re.sub(r"{(.+)}", lambda found: _answer(db, found[1]), path) for name, path in PAGES.items()}


def _answer(db: Connection, question: str) -> str:
    return str(db.exec_driver_sql(question).scalar_one())
