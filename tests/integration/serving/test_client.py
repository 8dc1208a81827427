"""The client of TensorFlow Serving's API, against a server that answers whatever it is told to."""

import base64
import http.server
import io
import json
import threading

import pytest
from PIL import Image
from urllib3.util import Retry

from components.errors import PostersError
from components.serving.client import ServerClient
from tests.examples import encode, picture

METADATA = {
    "model_spec": {"version": "7"},
    "metadata": {
        "signature_def": {
            "signature_def": {
                "serving_default": {
                    "outputs": {"scores": {}, "probabilities": {}, "genres": {}, "status": {}}
                }
            }
        }
    },
}
#: After no time at all, twice.
AGAIN = Retry(2, backoff_factor=0, status_forcelist=(503,), allowed_methods=None,
              raise_on_status=False)  # fmt: skip


def _row(score="0.75"):
    return {"scores": [float(score)], "probabilities": [0.5], "genres": ["A"], "status": ""}


class _Server:
    """Answers metadata, and then what `answers` says; None closes the connection."""

    def __init__(self):
        self.answers, self.asked, self.headers = [], [], []
        this = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                this.headers.append(self.headers)
                self._send(200, METADATA)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                this.asked.append([base64.b64decode(v["b64"]) for v in body["instances"]])
                answer = this.answers.pop(0)
                if answer is None:
                    self.connection.close()
                else:
                    self._send(*answer)

            def _send(self, status, content):
                # As TensorFlow Serving does: a number that is none is the bare word NaN.
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:{1}".format(*self._server.server_address)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    made = _Server()
    yield made
    made.close()


def test_tensorflow_servings_nan_is_read_by_its_status(server):
    broken = {**_row("nan"), "status": "a damaged or cut off JPEG image (9 bytes)"}
    server.answers = [(200, {"predictions": [_row(), broken, _row("nan")]})]
    good, bad, odd = ServerClient(server.url, retry=AGAIN).ask([b"1", b"2", b"3"])
    assert (good.scores, good.labels) == ({"A": 0.75}, ["A"])
    assert bad.error == "a damaged or cut off JPEG image (9 bytes)"
    assert odd.error == "the model gives no number"


def test_a_request_that_one_image_spoils_is_asked_again_image_by_image(server):
    server.answers = [
        (413, {"error": "too large"}), (200, {"predictions": [_row()]}), (400, {"error": "no"}),
    ]  # fmt: skip
    answers = ServerClient(server.url, retry=AGAIN).ask([b"1", b"2"])
    assert [answer.error for answer in answers] == [None, "no"]
    assert server.asked == [[b"1", b"2"], [b"1"], [b"2"]]


def test_a_server_that_is_busy_or_goes_away_is_asked_again(server):
    server.answers = [(503, {"error": "busy"}), None, (200, {"predictions": [_row()]})]
    (answer,) = ServerClient(server.url, retry=AGAIN).ask([b"1"])
    assert answer.scores == {"A": 0.75}
    server.answers = [(503, {"error": "busy"})] * 9
    with pytest.raises(PostersError, match="answers 503: busy"):
        ServerClient(server.url, retry=AGAIN).ask([b"1"])


def test_large_images_go_in_several_requests(server):
    server.answers = [(200, {"predictions": [_row()] * count}) for count in (2, 1)]
    assert len(ServerClient(server.url).ask([bytes(3 << 20)] * 3)) == 3
    assert [len(images) for images in server.asked] == [2, 1]


def test_images_are_sent_as_ingest_would_store_them(server):
    turned = Image.Exif()
    turned[0x0112] = 6
    plain, odd = encode(picture(1)), encode(picture(2, 20, 30), exif=turned)
    server.answers = [(200, {"predictions": [_row()] * 2})]
    ServerClient(server.url).ask([plain, odd])
    ((first, second),) = server.asked
    assert first == plain
    with Image.open(io.BytesIO(second)) as sent:
        assert sent.size == (30, 20)


def test_the_token_is_sent(server):
    ServerClient(server.url, token="s3cret")
    assert server.headers[-1]["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    "answer", [{"predictions": []}, {"outputs": []}, {"predictions": [{"scores": [1]}]}, [1]]
)
def test_another_models_answer_is_refused(server, answer):
    server.answers = [(200, answer)]
    with pytest.raises(PostersError, match=f"{server.url}.* gives "):
        ServerClient(server.url).ask([b"1"])
