#!/usr/bin/env python3
"""Serves a folder of repositories over HTTP, as CRAN's mirrors and Posit Package Manager do.

    usage: serve.py FOLDER

Says its URL in a line on stdout, and serves until its stdin ends, so that it never outlives who started it. Connections are
kept; files have ETag and Last-Modified, which requests may name, and may be asked for from a byte on. What lies under p3m/
is told to be a source or a binary, as Posit Package Manager tells it: a link out of bin/ is a source where a binary was
asked for.
"""

import email.utils
import http
import http.server
import os
import posixpath
import re
import sys
import threading
import urllib.parse

TYPES = {".gz": "application/gzip"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "repository"
    # Head and body of small files leave in one packet, and none waits for an acknowledgement.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(body=True)

    def do_HEAD(self):
        self.answer(body=False)

    def answer(self, body):
        url_path = posixpath.normpath(urllib.parse.unquote(self.path.partition("?")[0]))
        path = os.path.realpath(os.path.join(self.server.folder, url_path.lstrip("/")))
        inside = path.startswith(self.server.folder + os.sep)
        try:
            if not inside or not os.path.isfile(path):
                raise FileNotFoundError(path)
            with open(path, "rb") as file:
                self.send(url_path, path, file, body)
        except FileNotFoundError:
            self.send_text(http.HTTPStatus.NOT_FOUND, f"404: there is no {url_path}\n", body)

    def send(self, url_path, path, file, body):
        status = os.fstat(file.fileno())
        etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        modified = email.utils.formatdate(int(status.st_mtime), usegmt=True)
        headers = [("ETag", etag), ("Last-Modified", modified), ("Accept-Ranges", "bytes"), *told(url_path, path)]
        if self.is_known(etag, modified):
            self.send_head(http.HTTPStatus.NOT_MODIFIED, headers)
            return
        start = self.first_byte(etag, modified, status.st_size)
        code = http.HTTPStatus.PARTIAL_CONTENT if start else http.HTTPStatus.OK
        if start:
            headers.append(("Content-Range", f"bytes {start}-{status.st_size - 1}/{status.st_size}"))
        headers.append(("Content-Length", str(status.st_size - start)))
        headers.append(("Content-Type", TYPES.get(os.path.splitext(path)[1], "text/plain; charset=utf-8")))
        self.send_head(code, headers)
        if body:
            self.wfile.flush()
            self.connection.sendfile(file, start)

    def is_known(self, etag, modified):
        if (known := self.headers["If-None-Match"]) is not None:
            return known.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in known.split(",")]
        return self.headers["If-Modified-Since"] == modified

    def first_byte(self, etag, modified, size):
        """Where the answer begins: a range is honoured while the file is the one that was begun."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if wanted and self.headers["If-Range"] in (None, etag, modified) and int(wanted[1]) < size:
            return int(wanted[1])
        return 0

    def send_head(self, code, headers):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def send_text(self, code, text, body):
        content = text.encode()
        self.send_head(code, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))])
        if body:
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def told(url_path, path):
    """What Posit Package Manager says of a package in the headers of its answer."""
    if not url_path.startswith("/p3m/") or not path.endswith(".tar.gz"):
        return []
    if binary := re.search(r"/bin/linux/([^/]+)-(?:x86_64|aarch64)/([^/]+)/src/contrib/[^/]+$", path):
        return [("X-Package-Type", "binary"), ("X-Package-Binary-Tag", f"{binary[2]}-{binary[1]}")]
    return [("X-Package-Type", "source")]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request, client_address):
        """Clients that go away in the middle are no news."""


def main():
    server = Server(sys.argv[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.buffer.read()


main()
