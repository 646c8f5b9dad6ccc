"""A PostgreSQL server of one's own, in a temporary folder, for as long as a test takes."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PostgresServer", "find_postgres"]

_USERS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root, so root runs it as the first of these that exists."""


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, the newest version first; `None` where there is no server."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: (len(path.parts[-2]), path), reverse=True
    )
    found = shutil.which("initdb")
    for folder in [*debian, *([Path(found).resolve().parent] if found else [])]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


class PostgresServer:
    """A server that listens on a socket in its own folder, and nowhere else.

    To choose: to try a store on PostgreSQL without setting one up. It does not wait for the disk: what it keeps is lost
    with the machine's power.

    Args:
        programs: The folder of PostgreSQL's programs, as `find_postgres` returns it.

    Raises:
        RuntimeError: It does not start.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="dialed-pg-"))
        self._user = None if os.geteuid() else next(user for user in _USERS if _exists(user))
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        data = str(self._folder / "data")
        self._call("initdb", "-D", data, "-U", "dialed", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        self._call("createdb", "-h", str(self._folder), "-U", "dialed", "dialed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address of its database, as `store=` takes it."""
        return f"postgresql+psycopg://dialed@/dialed?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-F -c listen_addresses= -c unix_socket_directories={self._folder} -c max_connections=200"
        log = str(self._folder / "log")
        self._call("pg_ctl", "start", "-w", "-D", str(self._folder / "data"), "-l", log, "-o", options)

    def stop(self, *, crash: bool = False) -> None:
        """Stop it: in an orderly way, or as a crash does, with a recovery at the next start."""
        mode = "immediate" if crash else "fast"
        self._call("pg_ctl", "stop", "-w", "-D", str(self._folder / "data"), "-m", mode)

    def close(self) -> None:
        """Stop it, and remove its folder."""
        try:
            self.stop(crash=True)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if self._user is not None:
            command = ["runuser", "-u", self._user, "--", *command]
        # Not captured by pipes: the server inherits them, and whoever reads to their end waits for the server's.
        with (self._folder / f"{program}.out").open("w+", encoding="utf-8") as said:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, cwd=self._folder
            )
            if done.returncode:
                said.seek(0)
                raise RuntimeError(f"PostgreSQL's {program} must end well, but said: {said.read()[-2000:]}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
