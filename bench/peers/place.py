"""Where a run takes place: what each of its processes must know, in a file that only they read."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Addresses and folders of one run."""

    database: str
    """PostgreSQL as its superuser, whom no row-level security binds: what the peers log in as."""
    worker_database: str
    web_database: str
    """The same as the engine's own roles: what nexara logs in as."""
    redis: str
    entries: str
    """The socket that hears when handlers are entered."""
    ready: str
    """The folder in which each worker process says that it is ready."""
    business: str

    @classmethod
    def read(cls, path: Path) -> "Place":
        """Return the place that a file tells of."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Write it into a file that nobody else may read: it holds passwords."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def say_ready(self) -> None:
        """Tell that this process takes jobs from now on."""
        (Path(self.ready) / str(os.getpid())).touch()
