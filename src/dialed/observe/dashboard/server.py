"""Running the dashboard: its address, its key, and its server."""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dialed.errors import InvalidInputError, MissingDependencyError
from dialed.store import Catalog

if TYPE_CHECKING:
    import uvicorn

__all__ = ["PORT", "key_of_this_user", "load_ahead", "serve", "serving"]

PORT = 8365
"""The port where nobody asks for another: it is not that of TensorBoard (6006), Jupyter (8888), MLflow (5000) or Ray (8265)."""


def serve(
    catalog: Catalog,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    token: str | None = None,
    hosts: Collection[str] = (),
    allow_control: bool = False,
    ready: Callable[[str], object] = print,
) -> None:
    """Show the studies of a store in a browser, until Ctrl-C.

    Args:
        catalog: The store.
        host: The address to listen at. Defaults to this machine only.
        port: The port; 0 takes a free one. Defaults to 8365.
        token: The key that a browser must bring; empty asks for none. Defaults to the one of this user, which stays.
        hosts: Names by which this machine may be called, besides "localhost" and addresses in numbers.
        allow_control: Whether pages may write notes and ask things of running searches. Defaults to False.
        ready: Called with the address once it can be opened. Defaults to printing it.

    Raises:
        MissingDependencyError: The extra "dashboard" is not installed.
        InvalidInputError: The port is taken, or the key is missing where others may come in.
    """
    server, listening, address = _prepared(catalog, host, port, token, hosts, allow_control)
    with listening:
        threading.Thread(target=load_ahead, name="dialed-dashboard-imports", daemon=True).start()
        ready(address)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends well by itself, and raises it again
            server.run(sockets=[listening])


@contextlib.contextmanager
def serving(
    catalog: Catalog,
    *,
    port: int = 0,
    token: str | None = None,
    allow_control: bool = False,
) -> Iterator[str]:
    """Run the dashboard in a thread of this process while the block lasts; the value is its address."""
    server, listening, address = _prepared(catalog, "127.0.0.1", port, token, (), allow_control)
    threading.Thread(target=load_ahead, name="dialed-dashboard-imports", daemon=True).start()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="dialed-dashboard", daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        server.config.app.state.leaving.set()  # type: ignore[union-attr]  # our own application
        thread.join(timeout=10)
        listening.close()


def load_ahead() -> None:
    """Import what the first look at a study needs, and nothing before it: half a second that nobody has to wait for."""
    for name in ("scipy.special", "dialed.search.model.gaussian", "dialed.search.model.threads"):
        importlib.import_module(name)


def key_of_this_user() -> str:
    """The key of this user's dashboards: made once, and readable by nobody else. So open pages survive a restart."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "dialed"
    file = folder / "dashboard-key"
    with contextlib.suppress(FileNotFoundError):
        known = file.read_text().strip()
        if len(known) >= 32:
            return known
    folder.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(32)
    temporary = folder / f".dashboard-key.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(key)
    temporary.replace(file)
    return key


def _prepared(
    catalog: Catalog, host: str, port: int, token: str | None, hosts: Collection[str], allow_control: bool
) -> tuple[uvicorn.Server, socket.socket, str]:
    try:
        import uvicorn

        from dialed.observe.dashboard.app import application
    except ImportError as error:
        raise MissingDependencyError(
            f"The dashboard needs the package {error.name}, which is not installed. Run: pip install 'dialed[dashboard]'"
        ) from error
    key = key_of_this_user() if token is None else token
    if not key and host not in ("127.0.0.1", "localhost", "::1"):
        raise InvalidInputError(
            f"A dashboard without a key must listen on this machine only. Got host={host!r}. Leave `token` out, and the "
            "address that is printed has one."
        )
    listening = _listen(host, port)
    app = application(catalog, token=key or None, hosts={host, *hosts}, allow_control=allow_control)
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=1)
    name = f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1"}.get(host, host)
    address = f"http://{name}:{listening.getsockname()[1]}/" + (f"?token={key}" if key else "")
    return uvicorn.Server(config), listening, address


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise InvalidInputError(
            f"The `port` must be free on {host}. Got {port}: {error.strerror or error}. Another dashboard may run there: "
            "give another port, or 0 for any."
        ) from error
