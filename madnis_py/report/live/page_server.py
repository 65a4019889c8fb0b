"""Server of the page of a run: for this machine and whoever has its address, and to read only.

It listens at 127.0.0.1 alone. Other users and web pages can reach that, too: they lack the random
word of the address, and a page from elsewhere is told by the name that its browser asked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import socket
from socketserver import ThreadingTCPServer
from threading import BoundedSemaphore, Lock
from typing import Any

from madnis_py.errors import InputError
from madnis_py.report.live.live_page import SCRIPT, STYLE, LivePage
from madnis_py.report.report_page import REPORT, style

ADDRESS = "127.0.0.1"
"""Where the server listens: at this machine alone."""

_NAMES = ("127.0.0.1", "localhost")
"""How browsers call it."""

_STATE = "state.json"
"""What the script of a page asks for, beside the page."""

_PART = re.compile(r"(process|point)_[1-9][0-9]{0,6}")
"""Folder of a process or of a point of a scan."""

_DEEPEST = 2
"""Folders below each other: processes of a point of a scan."""

_MOST_REQUESTS = 16
"""Requests that are answered at once; more are dropped."""

_PATIENCE = 10.0
"""Seconds that a request may take to come in."""


def _digest(text: str) -> str:
    """A text inside the page as a content security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digest(SCRIPT)}",
            f"style-src-elem {_digest(style())} {_digest(STYLE)}",
            "style-src-attr 'unsafe-inline'",  # lengths of bars
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageServer(ThreadingTCPServer):
    """Serves the page of a run, and those of its parts, until it is closed.

        with PageServer(directory) as server:
            print(server.url)
            server.serve_forever()

    Args:
        directory: of the run or scan; need not be there yet.
        port: of this machine; one that is free if 0.

    Attributes:
        url: of the page, with the random word that lets its reader in.

    Raises:
        InputError: the port is in use, or not for this user.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._directory = directory
        self._token, self._invitation = secrets.token_urlsafe(24), ""
        self._pages: dict[tuple[str, ...], LivePage] = {}
        self._lock, self._free = Lock(), BoundedSemaphore(_MOST_REQUESTS)
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"--port: expected a free port; got {port}: {reason}") from None
        self.url = f"{self._origin}/{self._token}/"

    @property
    def _origin(self) -> str:
        return f"http://{ADDRESS}:{self.server_address[1]}"

    def invitation(self) -> str:
        """An address that leads to the page once, for a browser whose arguments others can see."""
        self._invitation = secrets.token_urlsafe(24)
        return f"{self._origin}/{self._invitation}/"

    def accepted_invitation(self, word: str) -> bool:
        """Whether a word is that of the invitation, which is used up then."""
        with self._lock:
            accepted = bool(self._invitation) and _same(word, self._invitation)
            if accepted:
                self._invitation = ""
        return accepted

    def lets_in(self, word: str) -> bool:
        """Whether a word is that of the address."""
        return _same(word, self._token)

    def answer(self, path: str) -> tuple[str, str] | None:
        """Content and its type of what is below the address; None for anything else."""
        *folders, name = path.split("/")
        if len(folders) > _DEEPEST or not all(map(_PART.fullmatch, folders)):
            return None
        if name not in ((REPORT, _STATE) if folders else ("", _STATE)):
            return None
        with self._lock:  # one report at a time
            page = self._page(tuple(folders))
            if page is None:
                return None
            if name == _STATE:
                return page.state(), "application/json"
            return page.html(), "text/html"

    def _page(self, folders: tuple[str, ...]) -> LivePage | None:
        if folders not in self._pages:
            directory = self._directory.joinpath(*folders)
            if folders and not directory.is_dir():
                return None
            self._pages[folders] = LivePage(directory)
        return self._pages[folders]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a request in a thread of its own, unless there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A reader that has gone is no error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _same(one: str, other: str) -> bool:
    """Whether two words are the same, in a time that does not tell how far they are."""
    return hmac.compare_digest(one.encode(errors="surrogateescape"), other.encode())


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: PageServer
    server_version, sys_version = "madnis-py", ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """The page or its state, for who is allowed to see them."""
        if not self._is_from_here():
            self.send_error(HTTPStatus.FORBIDDEN, "asked from elsewhere")
            return
        _, _, asked = self.path.partition("/")
        word, _, rest = asked.partition("/")
        if not rest and self.server.accepted_invitation(word):
            self._send(HTTPStatus.SEE_OTHER, "", "text/plain", ("Location", self.server.url))
        elif not self.server.lets_in(word):
            self.send_error(HTTPStatus.FORBIDDEN, "not the address that madnis-py watch has told")
        elif not asked.startswith(f"{word}/") or (found := self.server.answer(rest)) is None:
            self.send_error(HTTPStatus.NOT_FOUND, "there is nothing else than the page")
        else:
            self._send(HTTPStatus.OK, *found)

    def do_POST(self) -> None:
        """Refuse everything but reading."""
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, "the page can be read, nothing else")

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_POST  # noqa: N815

    def _is_from_here(self) -> bool:
        """Whether a browser asks this machine by its own name, and shows the answer to its user.

        A page from elsewhere may lead here, but not read what is here. A name of its own that it
        makes lead to this machine is in the header Host.
        """
        host, origin, site, mode = (
            self.headers.get_all(name, [])
            for name in ("Host", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode")
        )
        return (
            len(host) == 1
            and host[0].partition(":")[0].lower() in _NAMES
            and all(one == f"http://{host[0]}" for one in origin)
            and (mode == ["navigate"] or all(one in ("same-origin", "none") for one in site))
        )

    def _send(self, status: HTTPStatus, content: str, kind: str, *more: tuple[str, str]) -> None:
        body = content.encode(errors="replace")
        self.send_response(status)
        for name, value in (*_HEADERS.items(), *more):
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A refusal in plain words."""
        status = HTTPStatus(code)
        allow = [("Allow", "GET")] if status == HTTPStatus.METHOD_NOT_ALLOWED else []
        self.close_connection = True
        self._send(status, f"{message or status.phrase}\n", "text/plain", *allow)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are nobody's business."""
