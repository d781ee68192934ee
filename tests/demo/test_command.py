"""python -m vitkeras.demo: what it says when it cannot open the page."""

import socket
import sys

import pytest

from vitkeras.demo import __main__ as demo


@pytest.mark.parametrize(
    ("words", "hint"),
    [(["--port", "80"], "from 1024 to 65535"), (["--preset", "./no-such-folder"], "no folder or file")],
)
def test_a_wrong_word_ends_with_2_before_anything_is_loaded(words, hint, capsys):
    assert demo.main(words) == 2
    assert hint in capsys.readouterr().err


def test_without_gradio_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert demo.main([]) == 1
    assert ".[demo]" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named_before_anything_is_loaded(capsys):
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        assert demo.main(["--port", str(port)]) == 1
    assert f"port {port} is taken" in capsys.readouterr().err
