"""Only our own pages may post: each form carries a signed token, and comes from the origin it is posted to."""

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request

TOKEN = "token"  # noqa: S105 - the name of a field
MOST_BYTES = 64 * 1024
MOST_FIELDS = 200
NOT_OURS = (
    "That button was not one of this dashboard's pages, or of a session that has ended since: nothing was changed."
    " Open the page again, and act there."
)


class Form(Mapping[str, str]):
    """What was filled in: the first value of each field, or `all` of them."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        """Return the first value of a field."""
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the fields."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self._values)

    def all(self, name: str) -> list[str]:
        """Return every value of a field, such as of boxes that were ticked."""
        return list(self._values.get(name, ()))


class Forms:
    """Makes and checks the tokens of forms; each is good for one session and one address, as long as the session is."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def token(self, session: str, path: str) -> str:
        """Return a token for posting to a path; it tells nothing of the session that signs it."""
        return self._signer(session).dumps(path)

    def hidden(self, session: str, path: str) -> Markup:
        """Return the field that a form to a path carries."""
        return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN, self.token(session, path))

    async def read(self, request: Request, session: str) -> Form:
        """Return what was filled in; raises HTTPException unless a form of ours sent it, in this session."""
        refuse_other_origins(request)
        form = await _fields(request)
        try:
            path = self._signer(session).loads(form.get(TOKEN, ""))
        except BadSignature:
            path = None
        if path != request.url.path:
            raise HTTPException(403, NOT_OURS)
        return form

    def _signer(self, session: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._secret, salt=f"nexara.dashboard.form.{session}", signer_kwargs={"digest_method": hashlib.sha256}
        )


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


async def _fields(request: Request) -> Form:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "No form of this dashboard is that large.")
    try:
        return Form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return Form({})
