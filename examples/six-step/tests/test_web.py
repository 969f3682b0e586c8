"""What the to-do service promises, asked over HTTP at WEB_URL."""

import http.client
import json
import os
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

WEB_URL = os.environ.get("WEB_URL", "http://web:8080")
START_TIMEOUT_SECONDS = 30


def call(method, path, body=None, raw=None):
    """Sends a request and returns status, content type and body, whatever the status."""
    data = raw if body is None else json.dumps(body).encode()
    request = urllib.request.Request(WEB_URL + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.status, answer.headers.get_content_type(), answer.read().decode()


def call_json(method, path, body=None):
    """Sends a request and returns status and decoded body."""
    status, _, text = call(method, path, body)
    return status, json.loads(text) if text else None


def wait_until_up():
    """Waits for the first healthy answer: a detached step counts as done once started, not once ready."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            if call("GET", "/healthz")[0] == 200:
                return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"{WEB_URL} did not answer within {START_TIMEOUT_SECONDS} s: {error}") from None
        time.sleep(0.1)


class Service(unittest.TestCase):
    def test_it_says_that_it_is_well(self):
        self.assertEqual(call_json("GET", "/healthz"), (200, {"status": "ok"}))

    @unittest.skipUnless("EXPECTED_VERSION" in os.environ, "EXPECTED_VERSION is not set")
    def test_it_is_the_version_that_this_run_built(self):
        self.assertEqual(call_json("GET", "/version"), (200, {"version": os.environ["EXPECTED_VERSION"]}))

    def test_the_page_is_html(self):
        status, content_type, text = call("GET", "/")
        self.assertEqual((status, content_type), (200, "text/html"))
        self.assertIn("<h1>Todos</h1>", text)

    def test_an_unknown_path_is_not_found(self):
        status, answer = call_json("GET", "/nowhere")
        self.assertEqual(status, 404)
        self.assertIn("/nowhere", answer["error"])


class Todos(unittest.TestCase):
    def add(self, title):
        status, todo = call_json("POST", "/api/todos", {"title": title})
        self.assertEqual(status, 201)
        return todo

    def test_a_new_todo_is_listed_and_not_done(self):
        todo = self.add("water the plants")
        self.assertEqual((todo["title"], todo["done"]), ("water the plants", False))
        self.assertIn(todo, call_json("GET", "/api/todos")[1])

    def test_each_todo_gets_an_id_of_its_own(self):
        self.assertNotEqual(self.add("one")["id"], self.add("two")["id"])

    def test_a_todo_can_be_done_and_renamed(self):
        todo = self.add("write")
        status, changed = call_json("PATCH", f"/api/todos/{todo['id']}", {"done": True, "title": " write tests "})
        self.assertEqual((status, changed), (200, {"id": todo["id"], "title": "write tests", "done": True}))
        self.assertEqual(call_json("GET", f"/api/todos/{todo['id']}"), (200, changed))

    def test_a_removed_todo_is_gone(self):
        path = f"/api/todos/{self.add('forget me')['id']}"
        self.assertEqual(call_json("DELETE", path), (204, None))
        self.assertEqual(call_json("GET", path)[0], 404)
        self.assertEqual(call_json("DELETE", path)[0], 404)

    def test_a_body_that_is_too_large_is_refused_before_it_is_sent(self):
        server = urllib.parse.urlsplit(WEB_URL)
        connection = http.client.HTTPConnection(server.hostname, server.port, timeout=5)
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/api/todos")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)

    def test_bad_bodies_are_refused_with_a_reason(self):
        path = f"/api/todos/{self.add('strict')['id']}"
        for method, target, raw, expected in [
            ("POST", "/api/todos", b"{}", 422),
            ("POST", "/api/todos", b'{"title": "  "}', 422),
            ("POST", "/api/todos", b'["title"]', 422),
            ("POST", "/api/todos", b"no json", 400),
            ("PATCH", path, b'{"done": "yes"}', 422),
            ("PATCH", path, b'{"owner": "me"}', 422),
        ]:
            with self.subTest(method=method, body=raw[:20]):
                status, _, text = call(method, target, raw=raw)
                self.assertEqual(status, expected)
                self.assertTrue(json.loads(text)["error"])
