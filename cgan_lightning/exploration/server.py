"""An HTTP server for a folder, on the loopback interface only, until Ctrl-C."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cgan_lightning.utils.errors import Interrupted, UserError

LOOPBACK = "127.0.0.1"


class Handler(SimpleHTTPRequestHandler):
    """Set the content types that browsers require and disable caching and request logs."""

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
    """Return a server that is bound to its port but not running yet. Raises UserError if the port is in use."""
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(Handler, directory=str(folder)))
    except OSError as error:
        raise UserError(f"port={port} is in use ({error.strerror}): give another, 0 for any, or serve=false") from None


def address(server: ThreadingHTTPServer) -> str:
    return f"http://{LOOPBACK}:{server.server_port}/"


def until_stopped(server: ThreadingHTTPServer, folder: Path) -> None:
    """Serve until a signal, then raise Interrupted.

    Runs in a separate thread, so that an exception raised by the signal is not mistaken for a failed request.
    """
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        thread.join()
    except Interrupted as stop:
        server.shutdown()
        raise Interrupted(stop.signum, f"Stopped serving; the page stays in {folder}") from None
