"""The dashboard's process."""

import hashlib

import uvicorn
from sqlalchemy import create_engine

from dashboard.app import create_app
from ledger.errors import Misconfigured
from settings import Settings

CONNECTIONS = 5
THE_LEAST = "a dashboard that everybody may open is never started"


def serve(settings: Settings) -> None:
    """Serve the pages until a signal; raises Misconfigured without a database, a user or a password."""
    password = settings.dashboard_password.get_secret_value()
    if not settings.dashboard_database_url:
        raise Misconfigured("no_database", "Set DASHBOARD_DATABASE_URL.", setting="DASHBOARD_DATABASE_URL")
    if not password:
        raise Misconfigured("no_password", f"Set DASHBOARD_PASSWORD: {THE_LEAST}.", setting="DASHBOARD_PASSWORD")
    if not settings.dashboard_user or ":" in settings.dashboard_user:
        raise Misconfigured("no_user", "Set DASHBOARD_USER, without a colon.", setting="DASHBOARD_USER")
    engine = create_engine(
        settings.dashboard_database_url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None, "connect_timeout": 5, "application_name": "nexara dashboard"},
    )
    app = create_app(
        engine,
        user=settings.dashboard_user,
        password=password,
        environment=settings.environment,
        secret=signing_secret(password),
    )
    # No access log: addresses hold ids, and who looked at what is for the audit to say.
    uvicorn.run(
        app,
        host=settings.dashboard_host,
        port=settings.dashboard_port,
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=5,
    )


def signing_secret(password: str) -> bytes:
    """Return the secret that signs forms: of the password, so that all processes share it and a new password ends it.

    Slow on purpose: who has seen a token must not find the password by trying.
    """
    return hashlib.scrypt(password.encode(), salt=b"nexara.dashboard.forms", n=2**14, r=8, p=1)
