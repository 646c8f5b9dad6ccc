"""Who may ask: a key, a host that cannot be a stranger's name, and pages of our own only.

A browser that shows any page of the internet can send requests to this machine. So a request must name this machine as
its host (a name that a stranger points here is refused), must come from a page of this dashboard where it says where
it comes from, and must bring the key. Nothing that a page shows may load or run anything from elsewhere.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialed.observe.dashboard.pages import error_page

__all__ = ["HEADERS", "Guard"]

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_MONTH_SECONDS = 30 * 24 * 3600


class Guard:
    """Refuses requests that may not be answered, and sets the headers of those that are.

    Args:
        app: What answers.
        token: The key; `None` asks for none.
        hosts: Names by which this machine may be called, besides "localhost" and addresses in numbers.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.token = token
        self.hosts = {host.lower() for host in hosts} | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # there are no websockets; the start and the end of the server pass
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._refusal(scope) or self._key(scope) or self.app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            said = (
                f"The address must name this machine, but it was called as '{host[:100]}'. Open the address that `dialed "
                "dashboard` printed; `--host-name` allows another name."
            )
            return error_page(scope, 421, "This is not its name", said)
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        foreign = origin.partition("://")[2] != host if origin is not None else site not in ("none", "same-origin")
        reading = scope["method"] in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
        if (foreign and not reading) or (scope["method"] not in ("GET", "HEAD") and origin is None):
            said = "A request must come from a page of this dashboard. Another page, or a program, sent this one."
            return error_page(scope, 403, "Sent by another page", said)
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether nobody else can own the name: it is a number, or one that we were given."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
            if name in self.hosts:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _key(self, scope: Scope) -> ASGIApp | None:
        """Let in who brings the key in the address, and keep it in a cookie; refuse who has none.

        What is the same for everybody, styles and scripts, needs no key: so the page that asks for one has its looks.
        """
        if self.token is None or scope["path"].startswith("/static/"):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        brought = [value for name, value in query if name == "token"]
        if brought and hmac.compare_digest(brought[-1].encode(), self.token.encode()):
            return self._welcome(scope, [pair for pair in query if pair[0] != "token"])
        if self._has_cookie(scope):
            return None
        said = (
            "This page needs the key in the address that `dialed dashboard` printed when it began. Copy the whole "
            "address, with what stands behind `token=`."
        )
        return error_page(scope, 401, "The key is missing", said)

    def _welcome(self, scope: Scope, rest: list[tuple[str, str]]) -> ASGIApp:
        url = scope["path"] + (f"?{urlencode(rest)}" if rest else "")
        response = RedirectResponse(f"/{url.lstrip('/')}", status_code=303)
        response.set_cookie(
            _cookie(scope), self.token or "", httponly=True, samesite="strict", max_age=_MONTH_SECONDS, path="/"
        )
        return response

    def _has_cookie(self, scope: Scope) -> bool:
        try:
            cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(_cookie(scope))
        return found is not None and hmac.compare_digest(found.value.encode(), (self.token or "").encode())


def _cookie(scope: Scope) -> str:
    """Cookies are shared by all ports of a machine: each dashboard has a name of its own."""
    host = Headers(scope=scope).get("host", "")
    return f"dialed-{urlsplit(f'//{host}').port or 80}"
