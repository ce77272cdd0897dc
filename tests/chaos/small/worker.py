"""`python -m tests.chaos.small.worker`: a real worker process, as workers/main.py wires it, with the small kinds."""

import os
import signal
from pathlib import Path

from settings import read
from tests.chaos.small.kinds import QUEUE, kinds
from workers import log
from workers.main import OWN_CONNECTIONS
from workers.wiring import bell, engine
from workers.worker import WorkerProcess

FOLDER = "SMALL_FOLDER"
"""The variable that names the folder of those who have stumbled."""


def main() -> None:
    settings = read()
    log.configure(settings.log_level, settings.log_format)
    process = WorkerProcess(
        engine=engine(settings.database_url, settings.worker_threads + OWN_CONNECTIONS),
        beats=engine(settings.database_url, 1),
        bell=bell(settings),
        registry=kinds(Path(os.environ[FOLDER])),
        vendors=None,
        queues=[QUEUE],
        threads=settings.worker_threads,
        tell=log.tell,
    )
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run(settings.shutdown_seconds)
    process.exit()


if __name__ == "__main__":
    main()
