"""Every setting, with its reason. Read by entry points only; below them, values arrive as arguments."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

NOT_SET = SecretStr("")


class Settings(BaseSettings):
    """The settings of one process, from its environment. No secret has a default."""

    model_config = SettingsConfigDict(env_prefix="", frozen=True, extra="ignore", populate_by_name=True)

    # The database and the bell.
    database_url: Annotated[
        str, Field(description="PostgreSQL as nexara_worker: workers, dispatcher and scheduler.")
    ] = ""
    database_admin_url: Annotated[
        str, Field(description="PostgreSQL as the role that migrates; no running process needs it.")
    ] = ""
    web_database_url: Annotated[
        str, Field(description="PostgreSQL as nexara_web: what the web tier uses; here for the demo alone.")
    ] = ""
    dashboard_database_url: Annotated[
        str, Field(description="PostgreSQL as nexara_dashboard: the dashboard and `jobs`.")
    ] = ""
    redis_url: Annotated[str, Field(description="Redis 7 or Valkey, with maxmemory-policy noeviction.")] = ""
    redis_prefix: Annotated[
        str, Field(description="What every key begins with, so that two engines can share a Redis.")
    ] = "nexara"
    worker_password: Annotated[
        SecretStr,
        Field(alias="NEXARA_WORKER_PASSWORD", description="Set for nexara_worker by `migrate`, if given."),
    ] = NOT_SET
    web_password: Annotated[
        SecretStr,
        Field(alias="NEXARA_WEB_PASSWORD", description="Set for nexara_web by `migrate`, if given."),
    ] = NOT_SET
    dashboard_role_password: Annotated[
        SecretStr,
        Field(alias="NEXARA_DASHBOARD_PASSWORD", description="Set for nexara_dashboard by `migrate`, if given."),
    ] = NOT_SET

    # Workers.
    worker_threads: Annotated[
        int,
        Field(
            ge=1,
            le=200,
            description="Jobs that one worker process runs at a time; each may hold a connection.",
        ),
    ] = 8
    worker_queues: Annotated[
        str,
        Field(description="The queues a worker serves, with commas; empty for all, so that none is forgotten."),
    ] = ""
    shutdown_seconds: Annotated[
        float,
        Field(ge=1, description="How long a stopping worker waits for its jobs before it gives them back."),
    ] = 25.0

    # Objects.
    s3_endpoint_url: Annotated[str, Field(description="S3's endpoint; Supabase's has the path /storage/v1/s3.")] = ""
    s3_region: Annotated[str, Field(description="The bucket's region.")] = "us-east-1"
    s3_access_key_id: Annotated[str, Field(description="S3's access key.")] = ""
    s3_secret_access_key: Annotated[SecretStr, Field(description="S3's secret key.")] = NOT_SET
    s3_bucket: Annotated[str, Field(description="The bucket of recordings.")] = "recordings"
    s3_encryption: Annotated[
        str,
        Field(description="x-amz-server-side-encryption, such as AES256; empty where the store encrypts by itself."),
    ] = ""

    # Vendors.
    deepgram_api_key: Annotated[SecretStr, Field(description="Deepgram's key.")] = NOT_SET
    deepgram_base_url: Annotated[str, Field(description="Deepgram's API.")] = "https://api.deepgram.com"
    anthropic_api_key: Annotated[SecretStr, Field(description="Anthropic's key.")] = NOT_SET
    anthropic_base_url: Annotated[str, Field(description="Anthropic's API.")] = "https://api.anthropic.com"
    anthropic_model: Annotated[
        str, Field(description="The model that writes summaries and leads; the small one is enough for both.")
    ] = "claude-haiku-5-5"
    resend_api_key: Annotated[SecretStr, Field(description="Resend's key.")] = NOT_SET
    resend_base_url: Annotated[str, Field(description="Resend's API.")] = "https://api.resend.com"
    mail_from: Annotated[str, Field(description="Whom alerts come from; the domain must be verified at Resend.")] = (
        "Nexara <alerts@nexara-ai.net>"
    )
    twilio_account_sid: Annotated[str, Field(description="The account at Twilio, which begins with AC.")] = ""
    twilio_api_key: Annotated[SecretStr, Field(description="The id of one of its API keys, which begins with SK.")] = (
        NOT_SET
    )
    twilio_api_secret: Annotated[SecretStr, Field(description="That key's secret.")] = NOT_SET
    twilio_base_url: Annotated[
        str, Field(description="Twilio's API; empty for its own hosts, of which each product has one.")
    ] = ""
    telnyx_api_key: Annotated[SecretStr, Field(description="Telnyx's key.")] = NOT_SET
    telnyx_base_url: Annotated[str, Field(description="Telnyx's API, without /v2.")] = "https://api.telnyx.com"
    vapi_api_key: Annotated[SecretStr, Field(description="Vapi's private key.")] = NOT_SET
    vapi_base_url: Annotated[str, Field(description="Vapi's API.")] = "https://api.vapi.ai"
    elevenlabs_api_key: Annotated[SecretStr, Field(description="ElevenLabs' key.")] = NOT_SET
    elevenlabs_base_url: Annotated[str, Field(description="ElevenLabs' API.")] = "https://api.elevenlabs.io"
    public_url: Annotated[
        str,
        Field(description="Where the business's own dashboard is: alerts link to it and tell no more than they must."),
    ] = "https://app.nexara-ai.net"

    # Vendors of messages, calendars, sign-in and payment.
    meta_access_token: Annotated[
        SecretStr, Field(description="Meta's token of a system user that may manage the WhatsApp accounts.")
    ] = NOT_SET
    meta_base_url: Annotated[str, Field(description="Meta's Graph API, with its version.")] = (
        "https://graph.facebook.com/v24.0"
    )
    dialog360_api_key: Annotated[SecretStr, Field(description="360dialog's key.")] = NOT_SET
    dialog360_base_url: Annotated[str, Field(description="360dialog's API.")] = "https://waba-v2.360dialog.io"
    google_client_id: Annotated[
        str, Field(description="What our app is called at Google; each business's token is kept with the business.")
    ] = ""
    google_client_secret: Annotated[SecretStr, Field(description="Our app's secret at Google.")] = NOT_SET
    google_base_url: Annotated[str, Field(description="Google's Calendar API.")] = "https://www.googleapis.com"
    google_oauth_base_url: Annotated[str, Field(description="Where Google gives tokens and takes them back.")] = (
        "https://oauth2.googleapis.com"
    )
    google_token_keys: Annotated[
        SecretStr,
        Field(
            description="Fernet keys, with commas, newest first; the web tier seals the tokens of calendars with one."
        ),
    ] = NOT_SET
    supabase_secret_key: Annotated[
        SecretStr, Field(description="Supabase's secret key, which may delete those who sign in.")
    ] = NOT_SET
    supabase_base_url: Annotated[
        str, Field(description="The Supabase project, such as https://<project>.supabase.co.")
    ] = ""
    lemon_squeezy_api_key: Annotated[SecretStr, Field(description="Lemon Squeezy's key.")] = NOT_SET
    lemon_squeezy_base_url: Annotated[str, Field(description="Lemon Squeezy's API.")] = "https://api.lemonsqueezy.com"

    # The end of a business's data. `migrate` tells the database.
    retention_rows_days: Annotated[
        int,
        Field(
            ge=1, le=60, description="Days after access ended by which a business's rows are gone; set by `migrate`."
        ),
    ] = 45
    retention_vendors_days: Annotated[
        int,
        Field(ge=1, le=60, description="Days by which the last vendor has deleted its copies; set by `migrate`."),
    ] = 50
    retention_last_days: Annotated[
        int,
        Field(
            ge=1,
            le=60,
            description="Days that are never passed: with 30 of backups they are the policy's 90; set by `migrate`.",
        ),
    ] = 60

    retention_backups_days: Annotated[
        int,
        Field(
            ge=1,
            le=30,
            description="Days that the longest-lived backup lives; the journal a week more; set by `migrate`.",
        ),
    ] = 30

    # The on-call dashboard.
    dashboard_host: Annotated[str, Field(description="The address it listens on.")] = "127.0.0.1"
    dashboard_port: Annotated[int, Field(ge=1, le=65535, description="The port it listens on.")] = 8300
    dashboard_url: Annotated[
        str,
        Field(description="The address at which people open it; https makes its cookies Secure. OIDC needs it."),
    ] = ""
    dashboard_proxies: Annotated[
        str,
        Field(
            description="Addresses or networks of proxies, with commas, that are believed who asks; none by default."
        ),
    ] = ""
    dashboard_user: Annotated[
        str, Field(description="The first admin's name; used where there is no operator yet, and never after.")
    ] = "oncall"
    dashboard_password: Annotated[
        SecretStr,
        Field(description="The first admin's password, of 12 characters or more; take it out once they are in."),
    ] = NOT_SET
    dashboard_oidc_issuer: Annotated[
        str, Field(description="An identity provider to sign in through, by its issuer; empty for passwords alone.")
    ] = ""
    dashboard_oidc_client_id: Annotated[str, Field(description="What the dashboard is called there.")] = ""
    dashboard_oidc_client_secret: Annotated[SecretStr, Field(description="Its secret there.")] = NOT_SET
    dashboard_oidc_domains: Annotated[
        str, Field(description="Domains, with commas, one of which a verified address must have; empty for any.")
    ] = ""
    dashboard_oidc_roles: Annotated[
        str,
        Field(
            description="Who is what: `groups=admins:admin, groups=oncall:operator, *:viewer`; the first that holds."
        ),
    ] = ""
    dashboard_oidc_name: Annotated[str, Field(description="What its button says.")] = "single sign-on"

    # Seeing.
    environment: Annotated[str, Field(description="The name shown on pages and sent to Sentry.")] = "development"
    sentry_dsn: Annotated[SecretStr, Field(description="Sentry's DSN; empty sends nothing.")] = NOT_SET
    release: Annotated[
        str, Field(description="The release sent to Sentry, such as a commit; the image sets it when it is built.")
    ] = ""
    log_level: Annotated[str, Field(description="The level of our own log lines.")] = "INFO"
    log_format: Annotated[
        Literal["text", "json"], Field(description="How they look: text for eyes, json for a log store.")
    ] = "text"

    @field_validator("retention_vendors_days", "retention_last_days")
    @classmethod
    def _in_order(cls, days: int, info: ValidationInfo) -> int:
        """Refuse days in an order in which no promise could be kept."""
        before = "retention_rows_days" if info.field_name == "retention_vendors_days" else "retention_vendors_days"
        if days < info.data.get(before, 0):
            raise ValueError(f"must not be less than {before.upper()}, which comes first")
        return days


def read() -> Settings:
    """Read the settings from the environment; raises pydantic.ValidationError for a value that cannot be."""
    return Settings()
