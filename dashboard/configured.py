"""The identity provider, as the settings have it."""

from dashboard.oidc import Oidc, is_safe, read_rules
from ledger.errors import Misconfigured
from settings import Settings

BACK = "/sign-in/oidc/back"


def provider(settings: Settings) -> Oidc | None:
    """Return the provider; None where there is none. Raises Misconfigured with what is missing or cannot be."""
    issuer, secret = settings.dashboard_oidc_issuer, settings.dashboard_oidc_client_secret.get_secret_value()
    if not issuer:
        return None
    if not settings.dashboard_oidc_client_id:
        raise _wrong("DASHBOARD_OIDC_CLIENT_ID", "is needed with DASHBOARD_OIDC_ISSUER")
    for setting, address in (("DASHBOARD_OIDC_ISSUER", issuer), ("DASHBOARD_URL", settings.dashboard_url)):
        if not is_safe(address):
            raise _wrong(setting, "must be an https address for signing in through a provider")
    try:
        rules = read_rules(settings.dashboard_oidc_roles)
    except ValueError as error:
        raise _wrong("DASHBOARD_OIDC_ROLES", f"has {error}") from None
    if not rules:
        raise _wrong("DASHBOARD_OIDC_ROLES", "names nobody: write who gets which role, such as groups=oncall:operator")
    return Oidc(
        issuer=issuer,
        client_id=settings.dashboard_oidc_client_id,
        client_secret=secret,
        redirect_uri=settings.dashboard_url.rstrip("/") + BACK,
        domains=frozenset(each.strip().lower() for each in settings.dashboard_oidc_domains.split(",") if each.strip()),
        rules=rules,
        name=settings.dashboard_oidc_name,
    )


def _wrong(setting: str, what: str) -> Misconfigured:
    return Misconfigured("oidc", f"{setting} {what}.", setting=setting)
