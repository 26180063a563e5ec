"""Stores and reads objects with `obit objects` on servers of S3: objects_client.py OBIT."""

import hashlib
import hmac
import http.server
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from moto.server import ThreadedMotoServer
import boto3

OBIT = sys.argv[1]
logging.getLogger("werkzeug").setLevel(logging.ERROR)
KEY, SECRET = "AKIACHECKOBJECTS0001", "k3pT0utOfEveryMessageAndEveryPage0000000"
scratch = pathlib.Path(tempfile.mkdtemp(prefix="obit-objects-"))
failures = []


def check(name, holds, why=""):
    print(f"{'ok' if holds else 'FAILED'}: {name}")
    if not holds:
        failures.append(name)
        print(f"    {why}")


def run(*words, endpoint, wrap=(), **more):
    """Runs a verb of `obit objects`; no output of any run may have the secret key in it."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch / "home"),
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        **more,
    }
    variables = {name: value for name, value in variables.items() if value is not None}
    words = [*wrap, OBIT, "objects", *map(str, words)]
    done = subprocess.run(words, env=variables, capture_output=True, timeout=300)
    both = done.stdout + done.stderr
    if SECRET.encode() in both or KEY.encode() in both:
        check(f"no credential in the output of {words[2:]}", False, both[:500])
    return done


class Faults(http.server.BaseHTTPRequestHandler):
    """A server that does what `mode` says. Requests are counted."""

    protocol_version = "HTTP/1.1"
    mode, count, content, wrongly_signed, signed = "", 0, b"", [], 0

    def log_message(self, *_):
        pass

    def answer(self, status, body, length=None, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def is_signed(self, body):
        """By the specification of AWS Signature Version 4, computed here once more."""
        words = dict(word.split("=", 1) for word in self.headers["authorization"].split(" ", 1)[1].split(","))
        key, day, region, service, end = words["Credential"].split("/")
        names = words["SignedHeaders"].split(";")
        path, _, query = self.path.partition("?")
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        digest = hashlib.sha256(body).hexdigest()
        canonical = [self.command, path, "&".join(sorted(query.split("&"))), headers, ";".join(names), digest]
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], f"{day}/{region}/{service}/{end}",
                          hashlib.sha256("\n".join(canonical).encode()).hexdigest()])
        secret = ("AWS4" + SECRET).encode()
        for part in (day, region, service, end, text):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        return (key, secret.hex()) == (KEY, words["Signature"]) and {"host", "x-amz-date"} <= set(names)

    def any(self):
        Faults.count += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Faults.signed += 1
        if not self.is_signed(body):
            Faults.wrongly_signed.append((self.command, self.path))
        error = lambda code: f"<Error><Code>{code}</Code><Message>{KEY}</Message></Error>".encode()
        mode, content = Faults.mode, Faults.content
        if mode == "always 503":
            self.answer(503, error("SlowDown"))
        elif mode == "503 twice" and Faults.count <= 2:
            self.answer(503, error("SlowDown"))
        elif mode == "cut once" and Faults.count == 1:
            self.answer(200, content[: len(content) // 2], length=len(content))
        elif mode == "always cut":
            self.answer(200, content[: len(content) // 2], length=len(content))
        elif mode == "other content":
            self.answer(200, content[::-1])
        elif mode == "too large":
            self.answer(200, b"x", length=6 << 30)
        elif mode == "endless answer":
            self.answer(200, b"<ListBucketResult>" + b"x" * (9 << 20))
        elif mode == "clock":
            self.answer(403, error("RequestTimeTooSkewed"))
        elif mode == "wrong secret":
            self.answer(403, error("SignatureDoesNotMatch"))
        elif mode == "moved":
            self.answer(301, error("PermanentRedirect"), headers=[("Location", "http://127.0.0.1:1/")])
        elif mode == "control characters":
            self.answer(403, error("\x1b[31mRed"))
        elif mode == "takes" and self.command == "HEAD":
            self.answer(404, b"")
        elif mode == "a page":
            self.answer(200, b"<html>welcome</html>")
        elif mode == "same page again":
            token = "<NextContinuationToken>t</NextContinuationToken>"
            page = f"<ListBucketResult><IsTruncated>true</IsTruncated>{token}</ListBucketResult>"
            self.answer(200, page.encode())
        else:
            self.answer(200, content)

    do_GET = do_PUT = do_HEAD = do_DELETE = any


def wrong(mode, *words, content=b"", expect, says, attempts=None, **more):
    Faults.mode, Faults.count, Faults.content = mode, 0, content
    started = time.monotonic()
    done = run("--objects", "s3://bucket/x", *words, endpoint=faults, **more)
    text = done.stderr.decode(errors="replace")
    holds = done.returncode == expect and says in text and "\x1b" not in text
    holds = holds and (attempts is None or Faults.count == attempts)
    seconds = time.monotonic() - started
    check(f"{mode}: {text.strip()[:110]!r} ({Faults.count} requests, {seconds:.1f} s)", holds,
          f"{done.returncode} {Faults.count} {text[:500]}")
    return done


moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
moto.start()
host, port = moto.get_host_and_port()
server = f"http://{host}:{port}"
client = boto3.client("s3", endpoint_url=server, region_name="us-east-1",
                      aws_access_key_id=KEY, aws_secret_access_key=SECRET)
client.create_bucket(Bucket="crashes")

# A core, scrubbed, and its report.
core = next(pathlib.Path("tests/fixtures/null-field").glob("core*"))
at = ("--objects", "s3://crashes/team a/2026")
done = run("put", core, *at, endpoint=server)
lines = [line.split(maxsplit=2) for line in done.stdout.decode().splitlines()]
check("a core and its report are put in", done.returncode == 0 and [w for _, w, _ in lines] == ["core", "report"],
      done.stderr.decode())
keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="crashes").get("Contents", [])]
wanted = sorted(f"team a/2026/{name[:2]}/{name[2:]}" for name, _, _ in lines)
check("a key is the SHA-256", sorted(keys) == wanted, f"{keys} {wanted}")
for name, what, _ in lines:
    stored = client.get_object(Bucket="crashes", Key=f"team a/2026/{name[:2]}/{name[2:]}")["Body"].read()
    check(f"another client reads the same {what}", hashlib.sha256(stored).hexdigest() == name)
    out = scratch / what
    done = run("get", name, "-o", out, *at, endpoint=server)
    check(f"the {what} comes back", done.returncode == 0 and out.read_bytes() == stored, done.stderr.decode())
done = run("put", core, "--no-report", *at, endpoint=server)
check("to put it in again changes nothing", b"was there already" in done.stderr, done.stderr.decode())
check("no credentials are in the report", KEY.encode() not in (scratch / "report").read_bytes())
explained = subprocess.run([OBIT, scratch / "core"], capture_output=True)
check("the core that came back is explained", b"SIGSEGV" in explained.stdout, explained.stderr.decode())

# Files as they are; many of them, over more than one page of the list.
big = scratch / "big"
big.write_bytes(os.urandom(20 << 20))
done = run("put", "--as-is", big, *at, endpoint=server)
name = done.stdout.decode().split()[0]
done = run("get", name, *at, endpoint=server)
check("20 MiB come back on the standard output", done.stdout == big.read_bytes(), done.stderr.decode())
for number in range(1050):
    content = b"object %d" % number
    digest = hashlib.sha256(content).hexdigest()
    client.put_object(Bucket="crashes", Key=f"many/{digest[:2]}/{digest[2:]}", Body=content)
client.put_object(Bucket="crashes", Key="many/notes", Body=b"no object")
many = ("--objects", "s3://crashes/many")
done = run("list", *many, endpoint=server)
check("1,050 objects are listed over two pages", len(done.stdout.splitlines()) == 1050, done.stderr.decode())
digest = hashlib.sha256(b"object 7").hexdigest()
client.put_object(Bucket="crashes", Key=f"many/{digest[:2]}/{digest[2:]}", Body=b"object 8")
done = run("check", *many, endpoint=server)
check("check finds the one that is damaged", done.returncode == 1 and digest.encode() in done.stderr
      and b"damaged: 1" in done.stdout, done.stderr.decode())
done = run("get", digest, *many, endpoint=server)
check("a damaged one is not given out", done.returncode == 2 and done.stdout == b"", done.stderr.decode())
done = run("gc", "--older-than", "1h", *many, endpoint=server)
check("gc keeps what is new", b"deleted: 0 objects" in done.stdout, done.stderr.decode())

# What goes wrong at a real server.
done = run("get", "ab" * 32, *at, endpoint=server)
check("an object that is not there", done.returncode == 2 and b"there is no object" in done.stderr, done.stderr)
done = run("put", "--as-is", big, "--objects", "s3://nobucket", endpoint=server)
check("a bucket that is not there", done.returncode == 2 and b"no such bucket" in done.stderr, done.stderr)
done = run("list", "--objects", "s3://nobucket", endpoint=server)
check("a list of it", done.returncode == 2 and b"no such bucket" in done.stderr, done.stderr)
done = run("list", *at, endpoint=server, AWS_SECRET_ACCESS_KEY=None)
check("half of the credentials", done.returncode == 64 and b"AWS_SECRET_ACCESS_KEY is not" in done.stderr, done.stderr)
done = run("list", *at, endpoint="http://s3.example")
check("no request in the clear to another machine", done.returncode == 64, done.stderr)
done = run("list", *at, endpoint="http://127.0.0.1:1")
check("a server that is not there", done.returncode == 2 and b"5 attempts" in done.stderr, done.stderr)

# What a server does that misbehaves.
http.server.ThreadingHTTPServer.handle_error = lambda *_: None
http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faults)
threading.Thread(target=http_server.serve_forever, daemon=True).start()
faults = f"http://127.0.0.1:{http_server.server_address[1]}"
content = os.urandom(1 << 20)
name = hashlib.sha256(content).hexdigest()
small = scratch / "small"
small.write_bytes(b"small")
wrong("always 503", "list", expect=2, says="5 attempts", attempts=5)
wrong("503 twice", "get", name, "-o", scratch / "a", content=content, expect=0, says="", attempts=3)
wrong("cut once", "get", name, "-o", scratch / "b", content=content, expect=0, says="", attempts=2)
wrong("always cut", "get", name, "-o", scratch / "c", content=content, expect=2, says="5 attempts", attempts=5)
check("nothing is left of it", not (scratch / "c").exists())
wrong("other content", "get", name, "-o", scratch / "d", content=content, expect=2, says="damaged", attempts=1)
wrong("too large", "get", name, "-o", scratch / "e", content=content, expect=2, says="5 GiB", attempts=1)
wrong("endless answer", "list", expect=2, says="longer than 8 MiB", attempts=1)
wrong("clock", "list", expect=2, says="clock", attempts=1)
wrong("wrong secret", "list", expect=2, says="AWS_SECRET_ACCESS_KEY", attempts=1)
wrong("moved", "list", expect=2, says="another region", attempts=1)
wrong("control characters", "list", expect=2, says="status 403", attempts=1)
wrong("a page", "list", expect=2, says="not one of S3", attempts=1)
wrong("same page again", "list", expect=2, says="does not go on", attempts=2)
wrong("takes", "put", "--as-is", small, expect=0, says="", attempts=2)
wrong("takes", "put", "--as-is", small, expect=0, says="", attempts=2, AWS_SESSION_TOKEN="to/k+en=",
      AWS_REGION="eu-north-1")
check(f"each of {Faults.signed} requests was signed right", not Faults.wrongly_signed, Faults.wrongly_signed)
# An object of more than 5 GiB, which takes no room on the disk.
sparse = scratch / "sparse"
with open(sparse, "wb") as file:
    file.truncate((5 << 30) + 1)
wrong("put of too much", "put", "--as-is", sparse, expect=2, says="5 GiB", attempts=0)

moto.stop()
shutil.rmtree(scratch)
print(f"{len(failures)} failed")
sys.exit(1 if failures else 0)
