"""How each of the vendors that few jobs ask is made; its module is imported when it is."""

from typing import TYPE_CHECKING

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


def twilio(v: VendorValues) -> "Twilio":
    """Make Twilio."""
    from providers.twilio import Twilio

    return Twilio(
        account_sid=v.twilio_account_sid,
        api_key=v.twilio_api_key,
        api_secret=v.twilio_api_secret,
        base_url=v.twilio_base_url,
        timeout=v.voice_timeout,
        media_timeout=v.media_timeout,
    )


def telnyx(v: VendorValues) -> "Telnyx":
    """Make Telnyx."""
    from providers.telnyx import Telnyx

    return Telnyx(
        api_key=v.telnyx_api_key, base_url=v.telnyx_base_url, timeout=v.voice_timeout, media_timeout=v.media_timeout
    )


def vapi(v: VendorValues) -> "Vapi":
    """Make Vapi."""
    from providers.vapi import Vapi

    return Vapi(
        api_key=v.vapi_api_key, base_url=v.vapi_base_url, timeout=v.voice_timeout, media_timeout=v.media_timeout
    )


def elevenlabs(v: VendorValues) -> "ElevenLabs":
    """Make ElevenLabs."""
    from providers.elevenlabs import ElevenLabs

    return ElevenLabs(
        api_key=v.elevenlabs_api_key,
        base_url=v.elevenlabs_base_url,
        timeout=v.voice_timeout,
        media_timeout=v.media_timeout,
    )


def meta(v: VendorValues) -> "WhatsApp":
    """Make WhatsApp, asked at Meta."""
    from providers.whatsapp import WhatsApp

    return WhatsApp.meta(access_token=v.meta_access_token, base_url=v.meta_base_url, timeout=v.client_timeout)


def dialog360(v: VendorValues) -> "WhatsApp":
    """Make WhatsApp, asked through 360dialog."""
    from providers.whatsapp import WhatsApp

    return WhatsApp.dialog360(api_key=v.dialog360_api_key, base_url=v.dialog360_base_url, timeout=v.client_timeout)


def google(v: VendorValues) -> "Google":
    """Make Google."""
    from providers.google import Google

    return Google(
        client_id=v.google_client_id,
        client_secret=v.google_client_secret,
        base_url=v.google_base_url,
        oauth_base_url=v.google_oauth_base_url,
        token_keys=v.google_token_keys,
        timeout=v.client_timeout,
    )


def supabase(v: VendorValues) -> "Supabase":
    """Make Supabase."""
    from providers.supabase import Supabase

    return Supabase(secret_key=v.supabase_secret_key, base_url=v.supabase_base_url, timeout=v.client_timeout)


def lemon_squeezy(v: VendorValues) -> "LemonSqueezy":
    """Make Lemon Squeezy."""
    from providers.lemon_squeezy import LemonSqueezy

    return LemonSqueezy(api_key=v.lemon_squeezy_api_key, base_url=v.lemon_squeezy_base_url, timeout=v.client_timeout)
