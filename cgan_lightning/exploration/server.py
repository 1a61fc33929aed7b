"""A folder served on this machine alone, until Ctrl-C."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cgan_lightning.utils.errors import Interrupted, UserError

LOOPBACK = "127.0.0.1"


class Handler(SimpleHTTPRequestHandler):
    """Types that browsers insist on; a page that was written anew is seen anew; no line for each request."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".onnx": "application/octet-stream",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def bound(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server that has its port and doesn't answer yet. Raises UserError where it can't have it."""
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(Handler, directory=str(folder)))
    except OSError as error:
        raise UserError(f"port={port} is in use ({error.strerror}): give another, 0 for any, or serve=false") from None


def address(server: ThreadingHTTPServer) -> str:
    return f"http://{LOOPBACK}:{server.server_port}/"


def until_stopped(server: ThreadingHTTPServer, folder: Path) -> None:
    """Answers until a signal; raises Interrupted then.

    In a thread of its own: what a signal raises in the main one can't come to be taken for a request's failure.
    """
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        thread.join()
    except Interrupted as stop:
        server.shutdown()
        raise Interrupted(stop.signum, f"Stopped serving; the page stays in {folder}") from None
