"""Runs a sandbox server: as a process of its own, or in a thread of a test."""

import contextlib
import socket
import threading
from asyncio import Transport
from collections.abc import Callable, Iterator

import click
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.vendors.serving import Vendor

Main = Callable[..., None]
Decorator = Callable[[Main], Main]


class Line(H11Protocol):
    """HTTP whose app can reach its connection, so that a fault can break it."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Hand the transport to the app with each request."""
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


def _server(app: Vendor) -> uvicorn.Server:
    # Nothing of a request is logged: what people said and their addresses are in its body and its path.
    config = uvicorn.Config(
        app,
        http=Line,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def serve(app: Vendor, host: str, port: int) -> None:
    """Run until a signal ends it; says on its first line where it listens."""
    listener = socket.create_server((host, port))
    where = listener.getsockname()[1]
    click.echo(f"sandbox {app.name} (no real vendor) listens on http://{host}:{where}")
    with contextlib.suppress(KeyboardInterrupt):
        _server(app).run(sockets=[listener])


@contextlib.contextmanager
def running(app: Vendor, port: int = 0) -> Iterator[str]:
    """Run in a thread until the block ends; yields the base URL. Connections arrive from the first moment."""
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _server(app)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name=f"sandbox-{app.name}", daemon=True
    )
    thread.start()
    try:
        yield url
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def command(name: str, *more: Decorator) -> Callable[[Main], click.Command]:
    """Make the options that every server of the sandbox has, and its own after them."""

    def wrap(function: Main) -> click.Command:
        options: list[Decorator] = [
            click.option("--port", type=int, default=0, help="The port to listen on; a free one when not given."),
            click.option("--host", default="127.0.0.1", show_default=True),
            *more,
        ]
        for option in reversed(options):
            function = option(function)
        return click.command(name)(function)

    return wrap
