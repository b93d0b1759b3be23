"""Object storage as a journal needs it: a bucket in memory behind S3's protocol. bucket.py PORT KEY"""

import hashlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

objects: dict[str, bytes] = {}
lock = Lock()


def tag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def allowed(self) -> bool:
        if f"Credential={sys.argv[2]}/" in self.headers.get("Authorization", ""):
            return True
        self.answer(403)
        return False

    def name(self) -> str:
        return unquote(urlsplit(self.path).path).partition("/")[2].partition("/")[2]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not self.allowed():
            return
        with lock:
            if self.headers.get("If-None-Match") == "*" and self.name() in objects:
                return self.answer(412)
            objects[self.name()] = body
        self.answer(200, ETag=tag(body))

    def do_GET(self) -> None:
        if not self.allowed():
            return
        query = parse_qs(urlsplit(self.path).query)
        if not self.name():
            return self.list(query.get("prefix", [""])[0], query.get("delimiter", [""])[0])
        body = objects.get(self.name())
        if body is None:
            return self.answer(404)
        self.answer(200, body, ETag=tag(body), Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")

    do_HEAD = do_GET

    def list(self, prefix: str, delimiter: str) -> None:
        with lock:
            known = sorted(objects.items())
        keys, folders = [], []
        for name, body in known:
            if not name.startswith(prefix):
                continue
            head, found, _ = name.removeprefix(prefix).partition(delimiter) if delimiter else (name, "", "")
            if found:
                folders.append(prefix + head + delimiter)
            else:
                keys.append((name, body))
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-01-01T00:00:00Z</LastModified>"
            f"<ETag>{escape(tag(body))}</ETag><Size>{len(body)}</Size></Contents>"
            for name, body in keys
        )
        prefixes = "".join(
            f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in sorted(set(folders))
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{prefixes}</ListBucketResult>"
        self.answer(200, text.encode(), Content_Type="application/xml")

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
