"""A gate before a vendor's server: what is asked waits there until the test lets it through."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Literal

from ledger.claimed import Ended
from tests.jobs.house import HTTP, House

PATIENCE = 30.0  # seconds; on a busy machine an SDK takes a while to import
NOT_PASSED_ON = {"host", "content-length", "connection", "accept-encoding"}


class Gate:
    """A server that holds each request until it is opened, and then passes it on."""

    def __init__(self, target: str) -> None:
        self.asked, self.opened = Event(), Event()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                gate.asked.set()
                gate.opened.wait(PATIENCE)
                told = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
                answer = HTTP.post(target + self.path, content=body, headers=told)
                self.send_response(answer.status_code)
                for name in ("content-type", "request-id", "retry-after"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
                """Be silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.opened.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def meanwhile(house: House, vendor: Literal["deepgram", "anthropic", "resend"], act: Callable[[], object]) -> Ended:
    """Run the one job that is due, and act while its vendor thinks."""
    gate = Gate(getattr(house.wires, vendor).url)
    house.asking(**{f"{vendor}_base_url": gate.url})
    try:
        (claimed,) = house.claimed()
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(house.runner.run, claimed)
            try:
                assert gate.asked.wait(PATIENCE), running
                act()
            finally:
                gate.opened.set()
            return running.result(PATIENCE)
    finally:
        gate.close()
        house.asking()
