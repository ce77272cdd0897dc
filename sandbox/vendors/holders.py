"""All vendors that hold copies and make nothing, in one process: each on a port of its own, each in a thread.

For the demo only: production never imports it, and every answer says `x-sandbox: true`.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import click

from sandbox.vendors import elevenlabs, google, lemon_squeezy, supabase, telnyx, twilio, vapi, whatsapp
from sandbox.vendors.running import running
from sandbox.vendors.serving import Vendor

APPS: Mapping[str, Callable[[], Vendor]] = {
    "twilio": twilio.app,
    "telnyx": telnyx.app,
    "vapi": vapi.app,
    "elevenlabs": elevenlabs.app,
    "meta": lambda: whatsapp.app("meta"),
    "dialog360": lambda: whatsapp.app("dialog360"),
    "google": google.app,
    "supabase": supabase.app,
    "lemon_squeezy": lemon_squeezy.app,
}


@click.command("holders")
@click.option("--on", type=(click.Choice(list(APPS)), int), multiple=True, help="A vendor, and the port it listens on.")
def main(on: Sequence[tuple[str, int]]) -> None:
    """Speak several vendors' APIs on this machine, until a signal ends it; the last one listens last."""
    # Before any thread is started, so that the signals wait for this one.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    kept = ExitStack()
    for name, port in on:
        where = kept.enter_context(running(APPS[name](), port))
        click.echo(f"sandbox {name} (no real vendor) listens on {where}")
    signal.sigwait(ends)
    os._exit(0)  # what they hold lies in memory, and to end one after the other takes a second


if __name__ == "__main__":
    main()
