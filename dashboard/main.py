"""The dashboard's process."""

import hashlib
import logging
import secrets

import uvicorn
from sqlalchemy import Engine, create_engine, make_url

from dashboard.app import create_app
from dashboard.configured import provider
from ledger import operators
from ledger.audit import Actor, record
from ledger.errors import Misconfigured
from ledger.operate import Refused
from models.operators import Role
from settings import Settings

log = logging.getLogger(__name__)
CONNECTIONS = 5
NOBODY = "set DASHBOARD_PASSWORD for the first admin, or run `nexara operators add NAME --role admin`"


def serve(settings: Settings) -> None:
    """Serve the pages until a signal; raises Misconfigured without a database, or where nobody could sign in."""
    if not settings.dashboard_database_url:
        raise Misconfigured("no_database", "Set DASHBOARD_DATABASE_URL.", setting="DASHBOARD_DATABASE_URL")
    oidc = provider(settings)
    engine = create_engine(
        settings.dashboard_database_url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None, "connect_timeout": 5, "application_name": "nexara dashboard"},
    )
    somebody = first_admin(engine, settings.dashboard_user, settings.dashboard_password.get_secret_value())
    if not somebody and oidc is None:
        raise Misconfigured("no_operator", f"Nobody could sign in: {NOBODY}.", setting="DASHBOARD_PASSWORD")
    app = create_app(
        engine,
        environment=settings.environment,
        secret=signing_secret(settings.dashboard_database_url),
        https=settings.dashboard_url.startswith("https://"),
        oidc=oidc,
    )
    # No access log: addresses hold ids, and who looked at what is for the audit to say.
    uvicorn.run(
        app,
        host=settings.dashboard_host,
        port=settings.dashboard_port,
        proxy_headers=bool(settings.dashboard_proxies),
        forwarded_allow_ips=settings.dashboard_proxies or None,
        access_log=False,
        server_header=False,
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=5,
    )


def first_admin(engine: Engine, name: str, password: str) -> bool:
    """Make the admin of the settings where there is no operator; returns whether there is one. Raises Misconfigured."""
    with engine.begin() as db:
        if operators.list_operators(db):
            return True
        if not password:
            return False
        try:
            if operators.add_first_admin(db, name, password):
                actor = Actor("the settings", Role.CLI)
                record(db, actor, "operators.add", about={"operator": name}, after={"role": Role.ADMIN})
                log.info("dashboard.first_admin")
        except Refused as refused:
            raise Misconfigured(
                "first_admin", f"DASHBOARD_USER, DASHBOARD_PASSWORD: {refused}.", setting="DASHBOARD_PASSWORD"
            ) from None
    return True


def signing_secret(database_url: str) -> bytes:
    """Return the secret that signs cookies and forms: of the database's password, which all processes share already.

    A new one ends what the old one signed. Slow on purpose: who has seen a cookie must not find the password by trying.
    Without a password in the URL each process has a secret of its own, and its sessions end with it.
    """
    password = make_url(database_url).password
    if not password:
        return secrets.token_bytes(32)
    return hashlib.scrypt(str(password).encode(), salt=b"nexara.dashboard", n=2**14, r=8, p=1)
