"""Every vendor in one hand: each is set up when a job first asks for it, and asked for by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import Misconfigured
from providers.anthropic import Anthropic
from providers.deepgram import Deepgram
from providers.elevenlabs import ElevenLabs
from providers.once import Once
from providers.resend import Resend
from providers.s3 import Objects
from providers.telnyx import Telnyx
from providers.twilio import Twilio
from providers.vapi import Vapi


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorValues:
    """What the settings say of the vendors; time-outs in seconds, keys empty where a vendor is not used.

    `voice_timeout` is for an answer of those who carry calls, `media_timeout` for a recording that they hold.
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

    public_url: str = ""


class Vendors:
    """The vendors of one process, shared by all its threads.

    An unset key costs nothing until its vendor is asked for; then it is Misconfigured, which names the setting.
    """

    def __init__(self, values: VendorValues) -> None:
        v = values
        self.public_url = v.public_url
        """Where what a vendor sends for us leads to: the business's own dashboard."""
        self._deepgram = Once(
            lambda: Deepgram(api_key=v.deepgram_api_key, base_url=v.deepgram_base_url, timeout=v.deepgram_timeout)
        )
        self._anthropic = Once(
            lambda: Anthropic(
                api_key=v.anthropic_api_key,
                base_url=v.anthropic_base_url,
                model=v.anthropic_model,
                timeout=v.anthropic_timeout,
            )
        )
        self._resend = Once(
            lambda: Resend(
                api_key=v.resend_api_key,
                base_url=v.resend_base_url,
                sender=v.resend_sender,
                timeout=v.resend_timeout,
            )
        )
        self._objects = Once(
            lambda: Objects(
                endpoint=v.s3_endpoint,
                region=v.s3_region,
                access_key=v.s3_access_key,
                secret_key=v.s3_secret_key,
                bucket=v.s3_bucket,
                sse=v.s3_sse,
                timeout=v.s3_timeout,
            )
        )
        waits = {"timeout": v.voice_timeout, "media_timeout": v.media_timeout}
        self._twilio = Once(
            lambda: Twilio(
                account_sid=v.twilio_account_sid,
                api_key=v.twilio_api_key,
                api_secret=v.twilio_api_secret,
                base_url=v.twilio_base_url,
                **waits,
            )
        )
        self._telnyx = Once(lambda: Telnyx(api_key=v.telnyx_api_key, base_url=v.telnyx_base_url, **waits))
        self._vapi = Once(lambda: Vapi(api_key=v.vapi_api_key, base_url=v.vapi_base_url, **waits))
        self._elevenlabs = Once(
            lambda: ElevenLabs(api_key=v.elevenlabs_api_key, base_url=v.elevenlabs_base_url, **waits)
        )

    @property
    def deepgram(self) -> Deepgram:
        """Who turns recordings into text."""
        return self._deepgram()

    @property
    def anthropic(self) -> Anthropic:
        """Who reads conversations."""
        return self._anthropic()

    @property
    def resend(self) -> Resend:
        """Who sends mail."""
        return self._resend()

    @property
    def objects(self) -> Objects:
        """The bucket."""
        return self._objects()

    @property
    def twilio(self) -> Twilio:
        """Who carries calls and messages."""
        return self._twilio()

    @property
    def telnyx(self) -> Telnyx:
        """Who carries calls and messages, too."""
        return self._telnyx()

    @property
    def vapi(self) -> Vapi:
        """Who holds the assistant's calls."""
        return self._vapi()

    @property
    def elevenlabs(self) -> ElevenLabs:
        """Who lends the assistant its voice."""
        return self._elevenlabs()

    def close(self) -> None:
        """Close every connection; nothing is asked after it."""
        for vendor in self._all():
            if made := vendor.made:
                made.close()

    def faults(self) -> tuple[Misconfigured, ...]:
        """Return what is missing or malformed, one for each vendor that cannot be used; asks nobody."""
        found: list[Misconfigured] = []
        for vendor in self._all():
            try:
                vendor()
            except Misconfigured as fault:
                found.append(fault)
        return tuple(found)

    def _all(self) -> Sequence[Once[Any]]:
        return (
            self._deepgram,
            self._anthropic,
            self._resend,
            self._objects,
            self._twilio,
            self._telnyx,
            self._vapi,
            self._elevenlabs,
        )
