"""A to-do list over HTTP: JSON under /api/todos, a page at /, /healthz for probes, /version for people."""

import json
import os
import pathlib
import re
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "8080"))
VERSION = os.environ.get("VERSION", "unknown")
PAGE = pathlib.Path(__file__).with_name("index.html")
MAX_BODY_BYTES = 64 * 1024


class Problem(Exception):
    """An answer other than success: its status and what was wrong."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Todos:
    """The list itself, shared by the threads that serve requests."""

    def __init__(self):
        self.lock = threading.Lock()
        self.items = {}
        self.last_id = 0

    def add(self, title):
        with self.lock:
            self.last_id += 1
            self.items[self.last_id] = {"id": self.last_id, "title": title, "done": False}
            return dict(self.items[self.last_id])

    def list(self):
        with self.lock:
            return [dict(item) for item in self.items.values()]

    def get(self, item_id):
        with self.lock:
            return dict(self._find(item_id))

    def update(self, item_id, changes):
        with self.lock:
            item = self._find(item_id)
            item.update(changes)
            return dict(item)

    def remove(self, item_id):
        with self.lock:
            self._find(item_id)
            del self.items[item_id]

    def _find(self, item_id):
        if item_id not in self.items:
            raise Problem(404, f"there is no todo {item_id}")
        return self.items[item_id]


def checked_title(body):
    """Returns the title in a request's body, or says what is wrong with it."""
    title = body.get("title")
    if not isinstance(title, str) or not title.strip():
        raise Problem(422, "title must be a text that is not empty")
    return title.strip()


def checked_changes(body):
    """Returns the changes a request asks for; only `title` and `done` may change."""
    unknown = sorted(set(body) - {"title", "done"})
    if unknown:
        raise Problem(422, f"unknown field {unknown[0]}")
    if not isinstance(body.get("done", False), bool):
        raise Problem(422, "done must be true or false")
    changes = dict(body)
    if "title" in body:
        changes["title"] = checked_title(body)
    return changes


class Handler(BaseHTTPRequestHandler):
    """Maps a method and a path to the list."""

    protocol_version = "HTTP/1.1"
    todos = Todos()

    def do_GET(self):
        self.route({
            r"/": lambda: (200, PAGE.read_text(encoding="utf-8")),
            r"/healthz": lambda: (200, {"status": "ok"}),
            r"/version": lambda: (200, {"version": VERSION}),
            r"/api/todos": lambda: (200, self.todos.list()),
            r"/api/todos/(\d+)": lambda item: (200, self.todos.get(int(item))),
        })

    def do_POST(self):
        self.route({r"/api/todos": lambda: (201, self.todos.add(checked_title(self.body())))})

    def do_PATCH(self):
        self.route({
            r"/api/todos/(\d+)": lambda item: (200, self.todos.update(int(item), checked_changes(self.body()))),
        })

    def do_DELETE(self):
        self.route({r"/api/todos/(\d+)": lambda item: (204, self.todos.remove(int(item)))})

    def route(self, routes):
        path = self.path.partition("?")[0]
        try:
            self.text = self.read_text()
            for pattern, action in routes.items():
                if found := re.fullmatch(pattern, path):
                    return self.answer(*action(*found.groups()))
            raise Problem(404, f"nothing answers {self.command} {path}")
        except Problem as problem:
            return self.answer(problem.status, {"error": str(problem)})

    def log_request(self, code="-", size="-"):
        if self.path != "/healthz":  # a probe each second would drown what people did
            super().log_request(code, size)

    def read_text(self):
        length = self.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) <= MAX_BODY_BYTES:
            return self.rfile.read(int(length))
        self.close_connection = True  # what comes next on it is not a request
        raise Problem(413, f"a body of at most {MAX_BODY_BYTES} bytes, with its length, is needed")

    def body(self):
        try:
            body = json.loads(self.text)
        except ValueError:
            raise Problem(400, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise Problem(422, "the body must be a JSON object")
        return body

    def answer(self, status, content):
        is_page = isinstance(content, str)
        text = content if is_page else "" if content is None else json.dumps(content)
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if is_page else "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def check():
    """Exits 0 if the service on this machine is well: the image's health check."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2) as answer:
        sys.exit(0 if answer.status == 200 else 1)


def serve():
    """Serves until told to stop."""
    server = ThreadingHTTPServer(("", PORT), Handler)
    # As process 1 it gets no default action for SIGTERM; shutdown() must not run on the serving thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"serving version {VERSION} on port {PORT}")
    server.serve_forever(poll_interval=0.1)
    print("stopped")


if __name__ == "__main__":
    check() if "--check" in sys.argv else serve()
