"""A local server that speaks the part of Supabase's Auth by which users are read and deleted.

For tests only: production never imports it, and every answer says `x-sandbox: true`. A user who is held with
`owns: true` cannot be deleted, as one to whom a row still points.
"""

from contextlib import AbstractContextManager
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.vendors.held import Held
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

ERRORS = {
    401: ("no_authorization", "This endpoint requires a valid Bearer token"),
    403: ("not_admin", "User not allowed"),
    404: ("user_not_found", "User not found"),
    409: ("conflict", "Conflict"),
    422: ("validation_failed", "user_id must be an UUID"),
    429: ("over_request_rate_limit", "Request rate limit reached"),
    500: ("unexpected_failure", "Internal Server Error"),
}


def refusal(status: int, message: str | None = None) -> JSONResponse:
    """Return an error as Auth words it."""
    code, usual = ERRORS.get(status, ERRORS[500])
    return JSONResponse({"code": status, "error_code": code, "msg": message or usual}, status)


def _check_key(request: Request) -> JSONResponse | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    good = scheme == "Bearer" and is_sandbox_key(key) and request.headers.get("apikey") == key
    return None if good else refusal(401)


class Users:
    """GET and DELETE /auth/v1/admin/users/{id}, and the list."""

    def __init__(self, held: Held) -> None:
        self._held = held

    async def one(self, request: Request) -> JSONResponse:
        """Answer with a user, or delete them."""
        try:
            user = str(UUID(request.path_params["id"]))
        except ValueError:
            return refusal(422)
        found = self._held.find("users", user)
        if found is None:
            return refusal(404)
        if request.method == "GET":
            return JSONResponse({"aud": "authenticated", **found, "id": user})
        if found.get("owns"):
            return refusal(500, "Database error deleting user")
        return JSONResponse({}) if self._held.delete("users", user) else refusal(404)

    async def list(self, request: Request) -> JSONResponse:  # noqa: ARG002
        """Answer with all of them."""
        users = [{**user, "id": key} for key, user in self._held.all("users").items()]
        return JSONResponse({"users": users, "aud": "authenticated"})


def app() -> Vendor:
    """Make the server, which knows nobody."""
    held = Held("users")
    users = Users(held)
    api = [
        Route("/auth/v1/admin/users", users.list),
        Route("/auth/v1/admin/users/{id}", users.one, methods=["GET", "DELETE"]),
    ]
    return Vendor("supabase", api, error=refusal, refuse=_check_key, pages=held.pages(), forget=held.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("supabase")
def main(host: str, port: int) -> None:
    """Speak the used part of Supabase's Auth on this machine, for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
