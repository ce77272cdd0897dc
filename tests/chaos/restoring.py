"""A backup and its restore, by PostgreSQL's own programs, as on-call does it; and `nexara` at the command line."""

import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox.stack import engine_environment
from tests.chaos.world import World


class Backup:
    """A dump of a world's database, in the custom format."""

    def __init__(self, world: World) -> None:
        self._world, self._file = world, world.folder / "backup"
        self._run("pg_dump", "--format=custom", f"--file={self._file}")

    def restore(self) -> None:
        """Drop the database, and restore the dump into an empty one of its name."""
        name = sql.Identifier(self._world.database)
        with psycopg.connect(self._world.postgres.admin_url.replace("+psycopg", ""), autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        self._run("pg_restore", "--exit-on-error", str(self._file))

    def dumped(self) -> str:
        """Return the whole database as it is now, as text."""
        return self._run("pg_dump")

    def _run(self, program: str, *options: str) -> str:
        where = f"--dbname={self._world.admin_url.replace('+psycopg', '')}"
        path: Path = self._world.postgres.binaries / program
        done = subprocess.run([path, where, *options], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
        return done.stdout


def nexara(world: World, *command: str, typed: str = "", **settings: str) -> str:
    """Run a command with the settings of the world's processes, and more of them; return what it says."""
    env = engine_environment(world.settings | settings)
    # What a process of the engine must not have, whoever migrates has.
    env |= {name: value for name, value in settings.items() if name not in env}
    asked = [sys.executable, "-m", "nexara", *command]
    done = subprocess.run(
        asked, env=env, cwd=world.folder, input=typed, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"nexara {command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout
