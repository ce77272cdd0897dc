"""Only our own pages may post: each form carries a signed token, and comes from the origin it is posted to."""

from urllib.parse import parse_qs, urlsplit

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from starlette.exceptions import HTTPException
from starlette.requests import Request

TOKEN = "token"  # noqa: S105 - the name of a field
GOOD_FOR = 3600
"""Seconds that a page's buttons work."""
MOST_BYTES = 4096


class Forms:
    """Makes and checks the tokens of forms; each is good for one user, one address and GOOD_FOR seconds."""

    def __init__(self, secret: bytes) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="nexara.dashboard.form")

    def token(self, user: str, path: str) -> str:
        """Return a token for posting to a path."""
        return self._signer.dumps([user, path])

    async def check(self, request: Request, user: str) -> None:
        """Raise HTTPException unless this post was made by a form of ours, for this user."""
        refuse_other_origins(request)
        token = (await _fields(request)).get(TOKEN, "")
        try:
            signed = self._signer.loads(token, max_age=GOOD_FOR)
        except SignatureExpired:
            raise HTTPException(403, "That page was open for over an hour: look at the job again, then act.") from None
        except BadSignature:
            signed = None
        if signed != [user, request.url.path]:
            raise HTTPException(403, "That button was not one of this dashboard's pages: open the job, and act there.")


def refuse_other_origins(request: Request) -> None:
    """Raise HTTPException if a browser says that another site made it post, or if nothing says where it comes from."""
    fetched = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if fetched not in (None, "same-origin") or (origin is not None and not ours) or (fetched is None and not ours):
        raise HTTPException(
            403,
            "That request came from another site: open the job here, and act on its page."
            " If it was made here, a proxy in between does not pass the Host header on.",
        )


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "No form of this dashboard is that large.")
    try:
        parsed = parse_qs(body.decode(), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in parsed.items()}
