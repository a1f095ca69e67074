"""A web server on the loopback, as kind or as nasty as a test wants it."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Loopback:
    """Serves `files`: of a path in `breaks` half and a closed connection, of one in `stalls` half and silence.

    Attributes:
        url: where it is, with a slash at the end.
        asked: the paths asked for so far.
        half_sent: set when half of a stalling file is out.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.breaks: set[str] = set()
        self.stalls: set[str] = set()
        self.asked: list[str] = []
        self.half_sent = threading.Event()
        self.released = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.removeprefix("/")
        self.asked.append(path)
        if path not in self.files:
            request.send_error(404)
            return
        content = self.files[path]
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if path in self.breaks or path in self.stalls:
            request.wfile.write(content[: len(content) // 2])
            request.wfile.flush()
            self.half_sent.set()
            if path in self.stalls:
                self.released.wait()
            request.close_connection = True
            return
        request.wfile.write(content)


def _handler(answer: Callable[[BaseHTTPRequestHandler], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it
            """Keep quiet."""

    return Handler


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    site = Loopback(f"http://127.0.0.1:{server.server_address[1]}/")
    server.RequestHandlerClass = _handler(site.answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="loopback")
    thread.start()
    yield site
    site.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def dead_url(loopback: Loopback) -> str:
    """An address at which nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_address[1]
    server.server_close()
    return f"http://127.0.0.1:{port}/"
