"""Images from addresses, off a real server on this machine."""

import collections
import dataclasses
import http.server
import threading
import time
import urllib.parse

import pytest

from components.ingest import IngestOptions, ingest, spans
from components.ingest.decode import Fault
from components.ingest.download import Downloader
from components.ingest.rejection import Reason
from tests.ingest_sources import encode, picture, read_all, read_rejected, write_json_lines

JPEG = encode(picture(0))
# Its timeout is the default: a busy machine, too, is to be slow and not asked again.
LIMITS = IngestOptions(
    url_column="url",
    min_label_count=1,
    max_rejected_share=1.0,
    max_image_bytes=100_000,
    download_tries=3,
)
HASTY = dataclasses.replace(LIMITS, download_timeout=1)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with self.server.lock:
            self.server.calls[self.path] += 1
            self.server.busy += 1
            self.server.most_busy = max(self.server.most_busy, self.server.busy)
        try:
            kind, _, rest = self.path[1:].partition("/")
            getattr(self, f"on_{kind}")(rest)
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)

    def on_good(self, rest):
        time.sleep(0.02)
        self.answer(200, encode(picture(int(rest))))

    def on_missing(self, rest):
        self.answer(404)

    def on_flaky(self, rest):
        first = self.server.calls[self.path] < 3
        self.answer(500) if first else self.answer(200, JPEG)

    def on_busy(self, rest):
        self.answer(503, Retry_After=7)

    def on_slow(self, rest):
        time.sleep(3)
        self.answer(200, JPEG)

    def on_trickle(self, rest):
        self.send_response(200)
        self.end_headers()
        for _ in range(40):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.2)

    def on_large(self, rest):
        self.answer(200, bytes(200_000))

    def on_endless(self, rest):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(bytes(200_000))
        self.close_connection = True

    def on_html(self, rest):
        self.answer(200, b"<html>gone</html>")

    def on_file(self, rest):
        self.answer(302, Location="file:///etc/passwd")

    def on_lost(self, rest):
        self.answer(302, Location="//[x/")

    def on_moved(self, rest):
        self.answer(301, Location="/good/7")

    def on_round(self, rest):
        self.answer(302, Location=self.path)

    def on_cut(self, rest):
        self.answer(200, JPEG[:100], Content_Length=len(JPEG))
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that give up are what is tested
    server.lock = threading.Lock()
    server.calls = collections.Counter()
    server.busy = server.most_busy = 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def downloader(tmp_path, waits):
    return Downloader(tmp_path / "cache", LIMITS, waits.append)


def test_an_image_is_downloaded_once(server, downloader):
    url = f"{server.url}/good/1"
    assert downloader.fetch(url) == downloader.fetch(url) == encode(picture(1))
    assert server.calls["/good/1"] == 1
    assert downloader.path_of(url).read_bytes() == encode(picture(1))


def test_a_redirect_is_followed(server, downloader):
    assert downloader.fetch(f"{server.url}/moved") == encode(picture(7))


def test_a_server_that_fails_at_first_is_asked_again(server, downloader, waits):
    assert downloader.fetch(f"{server.url}/flaky") == JPEG
    assert len(waits) == 2
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0


def test_a_servers_wish_to_wait_is_heard(server, downloader, waits):
    with pytest.raises(Fault, match="answers 503, 3 times"):
        downloader.fetch(f"{server.url}/busy")
    assert waits == [7, 7]


@pytest.mark.parametrize(
    ("path", "reason", "detail", "calls"),
    [
        ("/missing", Reason.DOWNLOAD_FAILED, "the server answers 404", 1),
        ("/large", Reason.TOO_LARGE, "more than 100000 bytes", 1),
        ("/endless", Reason.TOO_LARGE, "more than 100000 bytes", 1),
        ("/file", Reason.BAD_URL, "leads to file:///etc/passwd", 1),
        ("/lost", Reason.BAD_URL, "Invalid IPv6 URL", 1),
        ("/round", Reason.DOWNLOAD_FAILED, "more than 5 redirects", 6),
        ("/cut", Reason.DOWNLOAD_FAILED, "3 times", 3),
    ],
)
def test_what_cannot_be_downloaded_says_why(server, downloader, path, reason, detail, calls):
    with pytest.raises(Fault) as caught:
        downloader.fetch(server.url + path)
    assert caught.value.args[0] == reason
    assert detail in caught.value.args[1]
    assert server.calls[path] == calls
    assert not downloader.path_of(server.url + path).exists()


def test_a_server_that_does_not_answer_is_given_up(server, tmp_path):
    with pytest.raises(Fault, match="does not answer in time, 3 times"):
        Downloader(tmp_path, HASTY, lambda _: None).fetch(f"{server.url}/slow")
    assert server.calls["/slow"] == 3


def test_a_server_that_trickles_is_given_up(server, tmp_path):
    hasty = dataclasses.replace(HASTY, download_timeout=0.25, download_tries=1)
    with pytest.raises(Fault, match="takes too long"):
        Downloader(tmp_path, hasty).fetch(f"{server.url}/trickle")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://x/y", "/etc/passwd", "http://", "http://[", "", "data:,x",
        "http://img..example.com/x.jpg", f"http://{'x' * 64}.example.com/x.jpg", "http://x:y/z",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(downloader, url):
    with pytest.raises(Fault) as caught:
        downloader.fetch(url)
    assert caught.value.args[0] == Reason.BAD_URL


def test_nobody_there(downloader):
    with pytest.raises(Fault, match="no connection, or it broke off, 3 times"):
        downloader.fetch("http://127.0.0.1:9/x")


def _path(url):
    return urllib.parse.urlsplit(url).path


def test_a_table_of_addresses_is_ingested_and_the_next_run_asks_for_the_rest(server, tmp_path):
    rows = [
        {"imdbId": n, "Title": "", "Genre": ["Drama"], "url": f"{server.url}/good/{n}"}
        for n in range(40)
    ]
    odd = {"a": "/missing", "../b": "/html", "c": "/file", "d": "/flaky"}
    rows += [{"imdbId": i, "Genre": "Drama", "url": server.url + p} for i, p in odd.items()]
    rows.append({"imdbId": "e", "Genre": "Drama", "url": "file:///etc/passwd"})
    table, out = tmp_path / "films.jsonl", tmp_path / "out"
    write_json_lines(table, rows)
    downloads = Downloader(out / spans.DOWNLOADS, LIMITS)
    there, most_busy = {}, []

    def interrupt(done, total):
        if done >= 15:
            urls = [url for row in rows[:40] if downloads.path_of(url := row["url"]).exists()]
            there.update((path, server.calls[path]) for path in map(_path, urls))
            most_busy.append(server.most_busy)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(table, None, out, LIMITS, interrupt)
    result = ingest(table, None, out, LIMITS)
    assert sorted(read_all(result.folder)) == sorted([*(str(n) for n in range(40)), "d"])
    reasons = {i: r["reason"] for i, r in read_rejected(result.folder / "rejected.csv").items()}
    assert reasons == {
        "a": "download_failed",
        "../b": "not_an_image",
        "c": "bad_url",
        "e": "bad_url",
    }
    # What was on its way is asked for again, what had arrived is not.
    assert len(there) >= 10
    assert {path: server.calls[path] for path in there} == there
    assert 1 < most_busy[0] <= LIMITS.download_workers
    assert ingest(table, None, out, LIMITS).already_done
