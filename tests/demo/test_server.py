"""What the page's server lets in, and what it answers to those who ask it in a wrong way."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import numpy as np
import pytest


@pytest.fixture
def ask(url):
    """`ask("POST", path, table, Host=…)`: (status, answer)"""

    def request(method, path, told=None, **headers):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        body = None if told is None else json.dumps({"data": [told]})
        connection.request(method, path, body, {"Content-Type": "application/json"} | headers)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        is_json = reply.headers.get("Content-Type", "").startswith("application/json")
        return reply.status, json.loads(text) if is_json else text

    return request


def drawing(side=28):
    grey = np.zeros((side, side), "uint8")
    grey[side // 5 : -side // 5, side // 2 - 1 : side // 2 + 1] = 255
    return {"pixels": base64.b64encode(grey.tobytes()).decode(), "side": side}


def test_a_drawing_gets_names_probabilities_and_weights(ask):
    status, reply = ask("POST", "/gradio_api/run/digit", drawing())
    (answer,) = reply["data"]
    assert status == 200
    assert answer["guesses"][0]["name"] == "1"
    rows, columns = answer["attention"]["grid"]
    tokens = rows * columns + answer["attention"]["before"]
    for layer in [*answer["attention"]["layers"], {"heads": 1, "weights": answer["attention"]["rollout"]}]:
        weights = np.frombuffer(base64.b64decode(layer["weights"]), "<u2").reshape(layer["heads"], tokens, tokens)
        np.testing.assert_allclose(weights.sum(-1) / 65535, 1, atol=1e-3)


@pytest.mark.parametrize(
    ("question", "told", "hint"),
    [
        ("digit", {}, "missing"),
        ("digit", drawing() | {"side": 10}, "100 pixels"),
        ("digit", drawing() | {"side": 10**9}, "from 8 to 512"),
        ("digit", drawing() | {"pixels": "§"}, "has not arrived whole"),
        ("photo", {"content": "", "name": "a.png", "preset": "cifar10_vit"}, "is empty"),
        ("photo", {"content": "AAAA", "name": "a.png", "preset": "../../etc"}, "opened with cifar10_vit"),
        ("photo", {"content": "AAAA", "name": "a.png", "preset": "cifar10_vit"}, "in no format"),
        ("pair", {"both": [{"kind": "star"}] * 2, "contrast": 1, "noise": 1, "chance": 1, "looks": True}, "'star'"),
        ("pair", {"both": 3, "contrast": 1, "noise": 1, "chance": 1, "looks": True}, "two shapes"),
    ],
)
def test_a_wrong_question_is_answered_in_words(ask, question, told, hint):
    status, reply = ask("POST", f"/gradio_api/run/{question}", told)
    assert status == 200
    assert hint in reply["data"][0]["problem"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/", {"Origin": "https://evil.example"}, 403),
        ("POST", "/gradio_api/upload", {}, 404),
        ("GET", "/gradio_api/file=/etc/passwd", {}, 404),
        ("GET", "/config", {}, 404),
        ("GET", "/page/..%2f__init__.py", {}, 404),
        ("GET", "/page/nothing.js", {}, 404),
        ("GET", "/gradio_api/run/digit", {}, 405),
        ("POST", "/gradio_api/run/digit", {"Content-Length": "99999999"}, 413),
        ("POST", "/gradio_api/run/digit", {"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_nothing_but_the_page_itself_is_let_in(ask, method, path, headers, status):
    assert ask(method, path, **headers)[0] == status


def test_the_browser_is_told_to_ask_nobody_else(url):
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", "/")
    policy = connection.getresponse().headers["Content-Security-Policy"]
    connection.close()
    assert "default-src 'none'" in policy
    assert "http:" not in policy
    assert "https:" not in policy
