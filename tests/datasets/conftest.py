"""Copies of MNIST and CIFAR-10 that have the right shapes and counts, and nothing but dots for images."""

import gzip
import io
import os
import struct
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vitkeras.datasets import search
from vitkeras.datasets.cifar10_batches import BATCHES

REPOSITORY = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"  # nobody listens there, so a test that asks for a page of the net is refused at once


@pytest.fixture(autouse=True)
def project_folder(monkeypatch, tmp_path_factory):
    """No test sees the real data folders or the net. Returns what the project's data folder is during the test."""
    folder = tmp_path_factory.mktemp("project") / "data"
    folder.mkdir()
    monkeypatch.setattr(search, "project_folder", lambda: folder)
    monkeypatch.setenv("KERAS_HOME", str(folder.parent / "keras"))
    monkeypatch.delenv("VITKERAS_DATA", raising=False)
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        for spelling in (name, name.upper()):
            monkeypatch.setenv(spelling, "127.0.0.1" if name == "no_proxy" else NOWHERE)
    return folder


@pytest.fixture
def run(tmp_path, tmp_path_factory, project_folder):
    """`run(code, ...)`: Python code in a process of its own. `run(None, "--help")`: python -m vitkeras.datasets."""

    def run(code, *arguments, wait=True, **settings):
        path = os.pathsep.join([str(site), str(REPOSITORY)])
        command = [sys.executable, "-W", "error", *(["-m", "vitkeras.datasets"] if code is None else ["-c", code])]
        keep = {name: value for name, value in os.environ.items() if name != "VITKERAS_DATA"}
        process = subprocess.Popen(
            [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            env={**keep, "PYTHONPATH": path, "VITKERAS_TEST_PROJECT": str(project_folder), **settings},
        )  # fmt: skip
        if not wait:
            return process
        out, err = process.communicate(timeout=120)
        return SimpleNamespace(code=process.returncode, out=out, err=err)

    # Python runs this at its start: the other process, too, has the test's folder for the project's.
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        "from vitkeras.datasets import search\n"
        "search.project_folder = lambda: pathlib.Path(os.environ['VITKERAS_TEST_PROJECT'])\n"
    )
    return run


class Server(ThreadingHTTPServer):
    """Serves `content` on the loopback, and misbehaves as a test tells it to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.content = b""
        self.status = None  # an HTTP error to answer with
        self.ranges = True  # whether it knows them
        self.announced = True  # whether it says how long the answer is
        self.stops_after = None  # bytes of an answer, and then...
        self.goes_on = threading.Event()  # ... it waits for this, and
        self.cuts = True  # ... cuts the connection, or sends the rest
        self.asked = []  # the Range of each request
        self.sent = 0  # bytes, all together

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if server.status:
            self.send_error(server.status)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.announced:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        stop = len(body) if server.stops_after is None else server.stops_after
        self.send(body[:stop])
        if stop < len(body):
            server.goes_on.wait(60)
            if not server.cuts:
                self.send(body[stop:])

    def send(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.server.sent += len(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.goes_on.set()
        server.shutdown()
        thread.join()


def dotted(count, shape):
    """In each image one dot, whose place tells the number of the image, and labels 0, 1, ... 9, 0, ..."""
    images = np.zeros((count, np.prod(shape)), "uint8")
    numbers = np.arange(count)
    images[numbers, numbers % images.shape[1]] = 1 + numbers % 255
    return images.reshape(count, *shape), (numbers % 10).astype("uint8")


def arrays_of(train, test, shape):
    (x_train, y_train), (x_test, y_test) = dotted(train, shape), dotted(test, shape)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


@pytest.fixture(scope="session")
def mnist_arrays():
    return arrays_of(60_000, 10_000, (28, 28))


@pytest.fixture(scope="session")
def cifar10_arrays():
    return arrays_of(50_000, 10_000, (32, 32, 3))


@pytest.fixture(scope="session")
def mnist_npz(tmp_path_factory, mnist_arrays):
    path = tmp_path_factory.mktemp("mnist") / "mnist.npz"
    np.savez_compressed(path, **mnist_arrays)
    return path


@pytest.fixture(scope="session")
def cifar10_npz(tmp_path_factory, cifar10_arrays):
    path = tmp_path_factory.mktemp("cifar10") / "cifar10.npz"
    np.savez_compressed(path, **cifar10_arrays)
    return path


@pytest.fixture(scope="session")
def mnist_idx_files(mnist_arrays):
    """Name, with its dash, → bytes, plain."""
    names = "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
    return {name: idx_bytes(array) for name, array in zip(names, mnist_arrays.values(), strict=True)}


def idx_bytes(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="session")
def mnist_idx_gz_files(mnist_idx_files):
    return {f"{name}.gz": gzip.compress(data, compresslevel=1) for name, data in mnist_idx_files.items()}


@pytest.fixture(scope="session")
def python2_pickle():
    """`python2_pickle(batch_label, labels, images)`: the instructions that Python 2 and NumPy 1 wrote for a batch."""

    def text(characters):
        return b"U" + bytes([len(characters)]) + characters

    def pickled(batch_label, labels, images, array_type=b"u1", shape=None):
        shape = images.shape if shape is None else shape
        return b"".join([
            b"\x80\x02}q\x01(",
            text(b"batch_label"), b"q\x02", text(batch_label.encode()), b"q\x03",
            text(b"labels"), b"q\x04]q\x05(", *(b"J" + struct.pack("<i", label) for label in labels), b"e",
            text(b"data"), b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\0\x85q\x09",
            text(b"b"), b"q\x0a\x87q\x0bRq\x0c(K\x01", *(b"J" + struct.pack("<i", side) for side in shape),
            b"\x86q\x0dcnumpy\ndtype\nq\x0e", text(array_type), b"q\x0fK\0K\x01\x87q\x10Rq\x11(K\x03", text(b"|"),
            b"q\x12NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tq\x13b\x89T", struct.pack("<i", images.size),
            images.tobytes(), b"q\x14tq\x15b",
            text(b"filenames"), b"q\x16]q\x17(", *(text(b"%d.png" % i) + b"r" + struct.pack("<i", 24 + i)
                                                  for i in range(len(labels))), b"eu.",
        ])  # fmt: skip

    return pickled


@pytest.fixture(scope="session")
def batch_files(cifar10_arrays, python2_pickle):
    """Name → bytes of the six files."""
    files = {}
    for number, (name, (_, says)) in enumerate(BATCHES.items()):
        split, start = ("test", 0) if name == "test_batch" else ("train", 10_000 * number)
        images = cifar10_arrays[f"x_{split}"][start : start + 10_000].transpose(0, 3, 1, 2).reshape(10_000, 3072)
        files[name] = python2_pickle(says, cifar10_arrays[f"y_{split}"][start : start + 10_000].tolist(), images)
    return files


@pytest.fixture(scope="session")
def tar_bytes():
    """`tar_bytes({"folder/name": bytes})`: a tar archive."""

    def packed(files):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return stream.getvalue()

    return packed


@pytest.fixture(scope="session")
def cifar10_tar(tmp_path_factory, batch_files, tar_bytes):
    path = tmp_path_factory.mktemp("cifar10") / "cifar-10-python.tar.gz"
    names = ["data_batch_4", "test_batch", "data_batch_3", "data_batch_2", "data_batch_5", "data_batch_1"]
    files = {f"cifar-10-batches-py/{name}": batch_files[name] for name in names}  # in the published order
    data = tar_bytes({"cifar-10-batches-py/readme.html": b"<html>", **files})
    path.write_bytes(gzip.compress(data, compresslevel=1))
    return path
