"""What is to be known of every vendor before it can be asked."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorValues:
    """What the settings say of the vendors; time-outs in seconds, keys empty where a vendor is not used.

    `voice_timeout` is for an answer of those who carry calls, `media_timeout` for a recording that they hold, and
    `client_timeout` for an answer of those who have to do with messages, calendars, sign-in and payment.
    `public_url` is where the links in a mail lead: no vendor, but the job that asks one needs it.
    """

    deepgram_api_key: str = field(repr=False)
    deepgram_base_url: str
    deepgram_timeout: float = 600.0

    anthropic_api_key: str = field(repr=False)
    anthropic_base_url: str
    anthropic_model: str
    anthropic_timeout: float = 60.0

    resend_api_key: str = field(repr=False)
    resend_base_url: str
    resend_sender: str
    resend_timeout: float = 10.0

    s3_endpoint: str
    s3_region: str
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    s3_bucket: str
    s3_sse: str = ""
    s3_timeout: float = 60.0

    twilio_account_sid: str = ""
    twilio_api_key: str = field(default="", repr=False)
    twilio_api_secret: str = field(default="", repr=False)
    twilio_base_url: str = ""

    telnyx_api_key: str = field(default="", repr=False)
    telnyx_base_url: str = "https://api.telnyx.com"

    vapi_api_key: str = field(default="", repr=False)
    vapi_base_url: str = "https://api.vapi.ai"

    elevenlabs_api_key: str = field(default="", repr=False)
    elevenlabs_base_url: str = "https://api.elevenlabs.io"

    voice_timeout: float = 15.0
    media_timeout: float = 600.0

    meta_access_token: str = field(default="", repr=False)
    meta_base_url: str = ""

    dialog360_api_key: str = field(default="", repr=False)
    dialog360_base_url: str = ""

    google_client_id: str = ""
    google_client_secret: str = field(default="", repr=False)
    google_base_url: str = ""
    google_oauth_base_url: str = ""
    google_token_keys: str = field(default="", repr=False)

    supabase_secret_key: str = field(default="", repr=False)
    supabase_base_url: str = ""

    lemon_squeezy_api_key: str = field(default="", repr=False)
    lemon_squeezy_base_url: str = ""

    client_timeout: float = 15.0

    public_url: str = ""
