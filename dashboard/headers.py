"""What every answer tells the browser: to load nothing from elsewhere, to be framed by nobody, to keep nothing."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
STRICT = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: under that, browsers post forms with "Origin: null", and the origin could not be checked.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}
KEEP_NOTHING = "no-store"
ONLY_HTTPS = "max-age=31536000"


def harden(headers: MutableHeaders, scheme: str) -> None:
    """Add the strict headers to an answer's."""
    for name, value in STRICT.items():
        headers[name] = value
    headers.setdefault("Cache-Control", KEEP_NOTHING)
    if scheme == "https":
        headers["Strict-Transport-Security"] = ONLY_HTTPS


class StrictHeaders:
    """Adds the strict headers to whatever the app answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                harden(MutableHeaders(scope=message), scope["scheme"])
            await send(message)

        await self._app(scope, receive, hardened)
