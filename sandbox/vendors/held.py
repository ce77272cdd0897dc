"""What a vendor of the sandbox holds: filled and read by tests, and slow to let go of it if told to be."""

import threading
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

Thing = dict[str, Any]


class Filling(BaseModel):
    """Things to hold, by collection and id; a thing that is deleted from now on is still found `lingers` times."""

    model_config = ConfigDict(extra="forbid")

    things: dict[str, dict[str, Thing]] = {}
    lingers: int = Field(0, ge=0)


class Held:
    """Collections of things by id; threads may share it."""

    def __init__(self, *collections: str) -> None:
        self._names = collections
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Let go of everything at once."""
        with self._lock:
            self._things: dict[str, dict[str, Thing]] = {name: {} for name in self._names}
            self._fading: dict[tuple[str, str], int] = {}
            self._lingers = 0

    def put(self, collection: str, key: str, thing: Thing) -> None:
        """Hold a thing, in place of any with this id."""
        with self._lock:
            self._things[collection][key] = thing
            self._fading.pop((collection, key), None)

    def find(self, collection: str, key: str) -> Thing | None:
        """Return a thing, also one that lingers; each time brings its end nearer."""
        with self._lock:
            if (left := self._fading.get((collection, key))) is not None:
                if left == 0:
                    self._drop(collection, key)
                else:
                    self._fading[collection, key] = left - 1
            return self._things[collection].get(key)

    def all(self, collection: str) -> dict[str, Thing]:
        """Return every thing by its id."""
        with self._lock:
            return dict(self._things[collection])

    def delete(self, collection: str, key: str) -> bool:
        """Let go of a thing, at once or when it has lingered; false if there is none, or it goes already."""
        with self._lock:
            if key not in self._things[collection] or (collection, key) in self._fading:
                return False
            if self._lingers:
                self._fading[collection, key] = self._lingers
            else:
                self._drop(collection, key)
            return True

    def pages(self) -> list[BaseRoute]:
        """Return the pages by which a test fills it and reads what is left."""
        return [Route("/_sandbox/held", self._show), Route("/_sandbox/held", self._fill, methods=["POST"])]

    def _drop(self, collection: str, key: str) -> None:
        del self._things[collection][key]
        self._fading.pop((collection, key), None)

    async def _show(self, request: Request) -> JSONResponse:  # noqa: ARG002
        with self._lock:
            return JSONResponse(self._things)

    async def _fill(self, request: Request) -> JSONResponse:
        try:
            filling = Filling.model_validate_json(await request.body())
        except ValidationError:
            return JSONResponse({"error": "things by collection and id are expected, and how often they linger"}, 400)
        if unknown := filling.things.keys() - set(self._names):
            return JSONResponse({"error": f"no such collection: {', '.join(sorted(unknown))}"}, 400)
        for collection, things in filling.things.items():
            for key, thing in things.items():
                self.put(collection, key, thing)
        with self._lock:
            self._lingers = filling.lingers
        return JSONResponse({"held": {name: len(things) for name, things in self._things.items()}})
