"""Settings into things: engines, the bell, vendors."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, create_engine

from ledger.errors import Misconfigured
from providers.vendor_values import VendorValues
from providers.vendors import Vendors
from settings import Settings
from workers.bell import Bell, connect

KEPT_ALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Of every connection: a server that vanished is noticed in ten seconds, not in hours."""


class NotConfigured(Exception):
    """A setting is missing; the message names it."""


def require(**named: str) -> None:
    """Raise NotConfigured for the settings that are empty."""
    if empty := [name.upper() for name, value in named.items() if not value]:
        raise NotConfigured(f"set {', '.join(empty)} (`nexara doctor` shows what is missing)")


def engine(url: str, connections: int) -> Engine:
    """Return an engine that reads and writes the tables through their views in `live`, as the role that logs in.

    Prepared statements stay off: a transaction pooler may hand each transaction to another server connection.
    """
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=30,
        execution_options={"schema_translate_map": {"nexara": "live"}},
        connect_args={"prepare_threshold": None, "application_name": "nexara", **KEPT_ALIVE},
    )


def vendors(settings: Settings) -> Vendors:
    """Return the vendors, each set up when a job first asks for it."""
    return Vendors(
        VendorValues(
            deepgram_api_key=settings.deepgram_api_key.get_secret_value(),
            deepgram_base_url=settings.deepgram_base_url,
            anthropic_api_key=settings.anthropic_api_key.get_secret_value(),
            anthropic_base_url=settings.anthropic_base_url,
            anthropic_model=settings.anthropic_model,
            resend_api_key=settings.resend_api_key.get_secret_value(),
            resend_base_url=settings.resend_base_url,
            resend_sender=settings.mail_from,
            twilio_account_sid=settings.twilio_account_sid,
            twilio_api_key=settings.twilio_api_key.get_secret_value(),
            twilio_api_secret=settings.twilio_api_secret.get_secret_value(),
            twilio_base_url=settings.twilio_base_url,
            telnyx_api_key=settings.telnyx_api_key.get_secret_value(),
            telnyx_base_url=settings.telnyx_base_url,
            vapi_api_key=settings.vapi_api_key.get_secret_value(),
            vapi_base_url=settings.vapi_base_url,
            elevenlabs_api_key=settings.elevenlabs_api_key.get_secret_value(),
            elevenlabs_base_url=settings.elevenlabs_base_url,
            s3_endpoint=settings.s3_endpoint_url,
            s3_region=settings.s3_region,
            s3_access_key=settings.s3_access_key_id,
            s3_secret_key=settings.s3_secret_access_key.get_secret_value(),
            s3_bucket=settings.s3_bucket,
            s3_sse=settings.s3_encryption,
            meta_access_token=settings.meta_access_token.get_secret_value(),
            meta_base_url=settings.meta_base_url,
            dialog360_api_key=settings.dialog360_api_key.get_secret_value(),
            dialog360_base_url=settings.dialog360_base_url,
            google_client_id=settings.google_client_id,
            google_client_secret=settings.google_client_secret.get_secret_value(),
            google_base_url=settings.google_base_url,
            google_oauth_base_url=settings.google_oauth_base_url,
            google_token_keys=settings.google_token_keys.get_secret_value(),
            supabase_secret_key=settings.supabase_secret_key.get_secret_value(),
            supabase_base_url=settings.supabase_base_url,
            lemon_squeezy_api_key=settings.lemon_squeezy_api_key.get_secret_value(),
            lemon_squeezy_base_url=settings.lemon_squeezy_base_url,
            public_url=settings.public_url,
        )
    )


def need(given: Vendors, names: Iterable[str]) -> None:
    """Raise NotConfigured naming every setting that these vendors lack, before a job finds out."""
    faults = []
    for name in names:
        try:
            getattr(given, name)
        except Misconfigured as fault:
            faults.append(fault.message)
    if faults:
        raise NotConfigured("; ".join(faults))


def bell(settings: Settings) -> Bell:
    """Return the bell of this engine."""
    return Bell(connect(settings.redis_url), settings.redis_prefix)
