"""Settings without which a vendor cannot be used: an empty or broken one is named, never quoted."""

import re

from ledger.errors import Misconfigured

ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?", re.ASCII)
KEY = re.compile(r"[!-~]+", re.ASCII)


def required(value: str, setting: str) -> str:
    """Return the value without blanks around it; raise Misconfigured when nothing is left."""
    if not (value := value.strip()):
        raise Misconfigured("setting_missing", f"{setting} is not set", setting=setting)
    return value


def secret(value: str, setting: str) -> str:
    """Return a key that fits in a header; raise Misconfigured when it is missing or holds blanks."""
    if not KEY.fullmatch(value := required(value, setting)):
        raise Misconfigured("setting_malformed", f"{setting} holds blanks or foreign characters", setting=setting)
    return value


def address(value: str, setting: str) -> str:
    """Return a base URL without its last slash; raise Misconfigured when it is no http(s) address."""
    if not ADDRESS.fullmatch(value := required(value, setting)):
        raise Misconfigured("setting_malformed", f"{setting} is not an http(s) address", setting=setting)
    return value.rstrip("/")
