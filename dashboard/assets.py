"""The files that pages load: kept by browsers, and asked about again where their name has no version."""

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).resolve().parent / "static"
VERSIONED = "vendor/"
FOR_GOOD = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"


class Assets(StaticFiles):
    """Serves our own files and, under their versions, those of others."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        answer = await super().get_response(path, scope)
        if answer.status_code < 400:  # noqa: PLR2004 - neither a file nor "not modified" from there on
            answer.headers["Cache-Control"] = FOR_GOOD if path.startswith(VERSIONED) else ASK_AGAIN
        return answer
