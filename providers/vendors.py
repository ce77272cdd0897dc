"""Every vendor in one hand: each is set up when a job first asks for it, and asked for by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ledger.errors import Misconfigured
from providers import vendor_making as making
from providers.anthropic import Anthropic
from providers.deepgram import Deepgram
from providers.once import Once
from providers.resend import Resend
from providers.s3 import Objects
from providers.vendor_values import VendorValues

if TYPE_CHECKING:
    from providers.elevenlabs import ElevenLabs
    from providers.google import Google
    from providers.lemon_squeezy import LemonSqueezy
    from providers.supabase import Supabase
    from providers.telnyx import Telnyx
    from providers.twilio import Twilio
    from providers.vapi import Vapi
    from providers.whatsapp import WhatsApp


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
        # Each of these is imported when it is first asked for: most workers never ask most of them.
        self._twilio = Once(lambda: making.twilio(v))
        self._telnyx = Once(lambda: making.telnyx(v))
        self._vapi = Once(lambda: making.vapi(v))
        self._elevenlabs = Once(lambda: making.elevenlabs(v))
        self._meta = Once(lambda: making.meta(v))
        self._dialog360 = Once(lambda: making.dialog360(v))
        self._google = Once(lambda: making.google(v))
        self._supabase = Once(lambda: making.supabase(v))
        self._lemon_squeezy = Once(lambda: making.lemon_squeezy(v))

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
    def twilio(self) -> "Twilio":
        """Who carries calls and messages."""
        return self._twilio()

    @property
    def telnyx(self) -> "Telnyx":
        """Who carries calls and messages, too."""
        return self._telnyx()

    @property
    def vapi(self) -> "Vapi":
        """Who holds the assistant's calls."""
        return self._vapi()

    @property
    def elevenlabs(self) -> "ElevenLabs":
        """Who lends the assistant its voice."""
        return self._elevenlabs()

    @property
    def meta(self) -> "WhatsApp":
        """Who carries WhatsApp's messages, asked itself."""
        return self._meta()

    @property
    def dialog360(self) -> "WhatsApp":
        """Who carries WhatsApp's messages for businesses connected through 360dialog."""
        return self._dialog360()

    @property
    def google(self) -> "Google":
        """Whose calendars are written in, each with the token of its business."""
        return self._google()

    @property
    def supabase(self) -> "Supabase":
        """Who knows those that may sign in."""
        return self._supabase()

    @property
    def lemon_squeezy(self) -> "LemonSqueezy":
        """Who sells subscriptions."""
        return self._lemon_squeezy()

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
            *(self._deepgram, self._anthropic, self._resend, self._objects),
            *(self._twilio, self._telnyx, self._vapi, self._elevenlabs),
            *(self._meta, self._dialog360, self._google, self._supabase, self._lemon_squeezy),
        )
