"""Lambda's Runtime API for one function, as a measuring instrument: plain sockets, one thread, one connection at a time.

It stands between the runtime's requests and the caller, who says when each is read and answered, and gets the clock's
reading (time.perf_counter_ns) for it.
"""

import os
import re
import select
import socket
import time

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
EXPECT = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)
CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class ApiError(Exception):
    """The runtime did something else than what was waited for."""


class RuntimeApi:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connection = None
        self.poll = select.poll()
        self.poll.register(self.listener, select.POLLIN)
        self.closes = False
        self.calls = 0
        # Says, while nothing comes, whether the runtime's process is there.
        self.alive = lambda: True

    def next_request(self, seconds=30):
        """Waits until the runtime asks for the next event; returns when that arrived."""
        method, path, body, arrived = self.read_request(seconds)
        if method != b"GET" or not path.endswith(b"/invocation/next"):
            raise ApiError(f"{method.decode()} {path.decode()}: {body[:2000].decode(errors='replace')}")
        return arrived

    def hand_out(self, event):
        """Answers the request with an event; returns when that began."""
        self.calls += 1
        deadline = int(time.time() * 1000) + 900_000
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-{self.calls:012d}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {deadline}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
            f"Content-Length: {len(event)}\r\n\r\n"
        ).encode()
        began = time.perf_counter_ns()
        self.answer(head + event if len(event) < 65536 else (head, event))
        return began

    def result(self, seconds=30):
        """Waits for the result, all of it; returns when it had arrived, and the result."""
        method, path, body, arrived = self.read_request(seconds)
        if method != b"POST" or not path.endswith(b"/response"):
            raise ApiError(f"{method.decode()} {path.decode()}: {body[:2000].decode(errors='replace')}")
        self.answer(ACCEPTED)
        return arrived, body

    def reset(self):
        """Ends the connection, for a runtime that is no more."""
        self.disconnect()
        self.calls = 0
        while self.ready(0):
            self.listener.accept()[0].close()

    def answer(self, response):
        for part in response if isinstance(response, tuple) else (response,):
            self.connection.sendall(part)
        if self.closes:
            self.disconnect()

    def read_request(self, seconds):
        data = self.receive(seconds)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.receive(seconds)
        head = data[:end]
        if CHUNKED.search(head):
            raise ApiError("a request in chunks, which this server does not read")
        self.closes = CLOSE.search(head) is not None
        method, path, _ = head.split(b" ", 2)
        body = data[end + 4 :]
        if length := LENGTH.search(head):
            body = self.read_body(body, int(length[1]), EXPECT.search(head), seconds)
        return method, path, body, time.perf_counter_ns()

    def read_body(self, begin, length, expected, seconds):
        if len(begin) == length:
            return begin
        if expected and not begin:
            self.connection.sendall(CONTINUE)
        body = bytearray(length)
        body[: len(begin)] = begin
        view, at = memoryview(body), len(begin)
        self.connection.settimeout(seconds)
        while at < length:
            if not (n := self.connection.recv_into(view[at:])):
                raise ApiError("the connection ended within a body")
            at += n
        return body

    def receive(self, seconds):
        """What the connection says next; or a new connection, where the runtime opens one instead."""
        until = time.monotonic() + seconds
        while True:
            ready = self.ready(0.5)
            if not ready:
                if not self.alive():
                    raise ApiError("the process ended")
                if time.monotonic() > until:
                    raise ApiError(f"no request within {seconds} s")
            elif self.connection in ready:
                if data := self.connection.recv(65536):
                    return data
                self.disconnect()
            else:
                self.disconnect()
                self.connection = self.listener.accept()[0]
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.poll.register(self.connection, select.POLLIN)

    def ready(self, seconds):
        sockets = {s.fileno(): s for s in (self.listener, self.connection) if s}
        return [sockets[number] for number, _ in self.poll.poll(seconds * 1000)]

    def disconnect(self):
        if self.connection:
            self.poll.unregister(self.connection)
            self.connection.close()
            self.connection = None


def cost_of_a_request(calls=2000):
    """How long this server is at work for one request, in microseconds; a process that does nothing else is its client."""
    api = RuntimeApi()
    if (client := os.fork()) == 0:
        ask_and_answer(api.listener.getsockname(), calls)
        os._exit(0)
    began = time.thread_time_ns()
    for _ in range(calls):
        api.next_request()
        api.hand_out(b'{"x": 41}')
        api.result()
    took = time.thread_time_ns() - began
    os.waitpid(client, 0)
    api.disconnect()
    api.listener.close()
    return took / 1e3 / calls / 2


def ask_and_answer(address, calls):
    connection = socket.create_connection(address)
    for _ in range(calls):
        connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n")
        connection.recv(65536)
        connection.sendall(b"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\n42")
        connection.recv(65536)
