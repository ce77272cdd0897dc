"""Resend's list of contacts in the sandbox: by their id, or by the address that they have."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.vendors.held import Held

NOT_FOUND = {"statusCode": 404, "name": "not_found", "message": "Contact not found"}


class Contacts:
    """GET and DELETE /contacts/{id or address}."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def routes(self) -> list[Route]:
        """Return the part of the API that is about contacts."""
        return [Route("/contacts/{contact}", self.one, methods=["GET", "DELETE"])]

    async def one(self, request: Request) -> JSONResponse:
        """Answer with a contact, or delete them."""
        wanted = request.path_params["contact"]
        named = (key for key, one in self._held.all("contacts").items() if wanted in (key, one.get("email")))
        key = next(named, wanted)
        if request.method == "DELETE":
            if not self._held.delete("contacts", key):
                return JSONResponse(NOT_FOUND, 404)
            return JSONResponse({"object": "contact", "contact": key, "deleted": True})
        found = self._held.find("contacts", key)
        if found is None:
            return JSONResponse(NOT_FOUND, 404)
        return JSONResponse({"object": "contact", "id": key, "unsubscribed": False, **found})
