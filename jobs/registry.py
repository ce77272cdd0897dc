"""All kinds of jobs: importing a handler registers it."""

from importlib import import_module

from ledger.job import Registry, registry

HANDLERS = (
    "jobs.alerts.send",
    "jobs.billing.reconcile",
    "jobs.conversations.recover",
    "jobs.conversations.summarize",
    "jobs.copies.dialog360",
    "jobs.copies.elevenlabs",
    "jobs.copies.google",
    "jobs.copies.lemon_squeezy",
    "jobs.copies.meta",
    "jobs.copies.objects",
    "jobs.copies.resend",
    "jobs.copies.supabase",
    "jobs.copies.sweep",
    "jobs.copies.telnyx",
    "jobs.copies.twilio",
    "jobs.copies.vapi",
    "jobs.leads.extract",
    "jobs.operations.apply",
    "jobs.privacy.anonymize",
    "jobs.privacy.deposit",
    "jobs.privacy.erase",
    "jobs.privacy.prune",
    "jobs.privacy.record",
    "jobs.privacy.replay",
    "jobs.privacy.resolve",
    "jobs.privacy.verify",
    "jobs.recordings.transcribe",
    "jobs.retention.end",
    "jobs.retention.expire",
    "jobs.retention.sweep",
    "jobs.usage.meter",
)


def load() -> Registry:
    """Return the registry with every kind in it."""
    for handler in HANDLERS:
        import_module(handler)
    return registry
