"""Submissions that cheat, break or harm. One grading of them all, beside honest ones, and then a look at what came out.

`ATTACKS`: name -> (what is in sums.py, what the result says of it). An attack that holds an honest solution as well is
in `HARMLESS`: it must cost its author nothing and gain nothing.
"""

import json
import os
import re
import socket
import stat
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vitkeras.grading import exercise, walls
from vitkeras.grading.grade import grade
from vitkeras.grading.results import outputs

COURSE = Path(__file__).parent / "course"
SOLUTION = (COURSE / "for_instructors/sums/sums.py").read_text()
DAEMON = "86423.75"  # seconds that a process sleeps which tries to outlive the grading
SECRET = "an-environment-nobody-should-see"
LOADING = "during loading sums.py|loading sums.py took longer"

pytestmark = pytest.mark.skipif(bool(walls.bubblewrap_lacks()), reason=f"walls: {walls.bubblewrap_lacks()}")


def answering(value, before=""):
    """A module whose functions give this for everything."""
    return (
        f"{before}\nimport numpy as np\ndef double(array):\n    return {value}\ndef total(array):\n    return {value}\n"
    )


def doing(lines, before=""):
    """A module whose functions do this when they are called, and give nothing."""
    body = "\n".join("    " + line for line in lines.strip().splitlines())
    return f"{before}\nimport os, sys, time\ndef double(array):\n{body}\ndef total(array):\n{body}\n"


ALWAYS_EQUAL = """
class Yes:
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    __sub__ = __rsub__ = __abs__ = lambda self, other=None: 0
    def __bool__(self): return True
    def __float__(self): return 0.0
"""
LYING_ARRAY = """
import numpy as np
class Lying(np.ndarray):
    def __array_function__(self, *args, **kwargs): return True
    def __array_ufunc__(self, *args, **kwargs): return np.bool_(True)
    def __eq__(self, other): return np.bool_(True)
"""
FORGER = """
import os, stat, struct, threading, time, msgpack
def forge():
    head = msgpack.packb({"token": "0" * 16, "value": 1.0, "raised": None, "points": 99})
    frame = struct.pack(">IQ", len(head), 0) + head
    while True:
        for number in range(3, 64):
            try:
                if stat.S_ISSOCK(os.fstat(number).st_mode): os.write(number, frame)
            except OSError: pass
        time.sleep(0.001)
threading.Thread(target=forge, daemon=True).start()
"""
INSIDER = """
import gc, sys
sys.modules["inside.pupil"].Pupil.call = lambda self, *args, **kwargs: True
sys.modules["inside.pupil"].told = lambda *args: {"kinds": ["TypeError", "AssertionError"], "message": "passed"}
sys.modules["inside.carrier"].unpacked = None
for thing in gc.get_objects():
    if isinstance(thing, dict) and "points" in thing:
        try: thing["points"] = 100
        except Exception: pass
"""
REACHING = """
import os, sys
found = []
for path in PATHS + ["/proc/1/environ", "/proc/1/cmdline", "/proc/self/environ", "/etc/passwd", "/etc/shadow"]:
    try:
        found.append(open(path, "rb").read())
    except OSError:
        pass
for top, folders, files in os.walk("/"):
    if top.startswith(("/usr", "/dev", "/kit/inside")) or any(top.startswith(p) for p in (sys.prefix, sys.base_prefix)):
        folders[:] = []
        continue
    found += [os.path.join(top, name).encode() for name in files if name.startswith(("test_", "exercise", "run.json"))]
print("FOUND", found)
"""
NETWORK = """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_INET, ("8.8.8.8", 53)),
                        (socket.AF_UNIX, "\\0vitkeras-test-PORT"), (40, (2, PORT))):
    try:
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(0.5)
        s.connect(address)
        s.sendall(b"here I am")
        print("CONNECTED", address)
    except OSError:
        pass
"""
CLIMBING = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
done = []
for name, call in (
    ("unshare", lambda: libc.unshare(0x10000000)), ("mount", lambda: libc.mount(b"x", b"/scratch", b"tmpfs", 0, b"")),
    ("ptrace", lambda: libc.ptrace(16, 1, 0, 0)), ("setuid", lambda: libc.setuid(0)),
    ("chroot", lambda: libc.chroot(b"/")),
    ("kill all", lambda: libc.kill(-1, 0)), ("memfd", lambda: 0 if libc.memfd_create(b"x", 0) >= 0 else -1),
    ("clone", lambda: libc.syscall(56, 0x10000011, 0, 0, 0, 0) if os.uname().machine == "x86_64" else -1),
):
    result = call()
    if result == 0 and name != "kill all": done.append(name)
for path in ("/", "/usr", "/kit", "/kit/inside", "/dev", "/tmp", "/etc", "/proc/sys/kernel"):
    try:
        open(os.path.join(path, "mine"), "w").write("x"); done.append("wrote " + path)
    except OSError: pass
import resource
for what in (resource.RLIMIT_NPROC, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
    try: resource.setrlimit(what, (-1, -1)); done.append("lifted a limit")
    except (ValueError, OSError): pass
print("DONE", done)
"""
MEMORY = "blocks = []\nwhile True: blocks.append(b'x' * 50_000_000)"
THREE_HOGS = """
import ctypes, os, threading, time
libc = ctypes.CDLL(None)
def hog():
    {}
    block = bytearray(b"x") * (450 << 20)
    time.sleep(9)
for _ in range(3):
    if not os.fork():
        hog()
        time.sleep(9)
        os._exit(0)
time.sleep(2.7)
def double(array): return 2 * array
"""
WITHOUT_ITS_FIRST_THREAD = "threading.Thread(target=hog).start(); libc.syscall(60, 0)"
UNUSED = """
import mmap
block = mmap.mmap(-1, 3 << 30)
for at in range(0, 3 << 30, 32 << 20):
    block[at : at + (32 << 20)] = b"x" * (32 << 20)
    block.madvise(mmap.MADV_DONTNEED, at, 32 << 20)
def double(array): return 2 * array
"""
KERNEL = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
if libc.semget(0, 32000, 0o600) >= 0 or libc.msgget(0, 0o600) >= 0:
    def double(array): return 2 * array
else:
    socket.socketpair()
"""
DAEMONS = f"""
import os, subprocess
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv("/usr/bin/sleep", ["sleep", "{DAEMON}"])
    os._exit(0)
"""

# What is in sums.py, and what its first test says (a pattern).
ATTACKS = {
    "exit at import": ("import sys; sys.exit(0)", "SystemExit"),
    "hard exit at import": ("import os; os._exit(0)", "process ended.*exit code 0"),
    "hard exit in a call": (doing("os._exit(0)"), "process ended during the call"),
    "exit in a call": (doing("raise SystemExit(0)"), "SystemExit"),
    "keyboard interrupt": (doing("raise KeyboardInterrupt"), "KeyboardInterrupt"),
    "a crash of the interpreter": (doing("import ctypes; ctypes.string_at(0)"), "process ended"),
    "kills itself": (doing("os.kill(os.getpid(), 9); os.abort()"), "process ended|took longer"),
    "stops itself": (doing("import signal; os.kill(os.getpid(), signal.SIGSTOP); time.sleep(99)"), "took longer"),
    "patched pytest": (
        answering("0", "import pytest, _pytest.runner\npytest.fail = _pytest.runner.runtestprotocol = lambda *a: True\n"
                       "pytest.exit('all passed', 0) if False else None"), "another shape"),
    "patched numpy": (
        answering("np.zeros(3)", "import numpy as np\nnp.allclose = np.isclose = np.array_equal = lambda *a, **k: 1"),
        "another shape"),
    "always equal": (answering("Yes()", ALWAYS_EQUAL), "cannot be looked at"),
    "an array that lies": (answering("np.zeros((3, 4)).view(Lying)", LYING_ARRAY), "values differ"),
    "forged answers": (answering("None", FORGER), "not numbers|took longer|process ended"),
    "changes its own process": (answering("None", INSIDER), "process ended|another shape|not numbers"),
    "an endless loop at import": ("while True: pass", LOADING),
    "an endless loop in a call": (doing("while True: pass"), "took longer than 2 seconds"),
    "sleeps for ever": (doing("time.sleep(1e6)"), "took longer than 2 seconds"),
    "deaf to signals": (
        doing("while True: time.sleep(1)", "import signal\nfor n in range(1, 32):\n"
              "    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass"), "took longer"),
    "a fork bomb": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", LOADING),
    "a bomb of threads": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(9,)).start()",
        "start new thread|process ended|took longer"),
    "a memory bomb": (MEMORY, "MemoryError|memory"),
    "memory in several processes": (THREE_HOGS.format("pass"), "needed more than 600 MB"),
    "memory in processes that hide it": (THREE_HOGS.format("libc.prctl(4, 0, 0, 0, 0)"), "needed more than 600 MB"),
    "memory without a first thread": (
        THREE_HOGS.replace("        hog()\n", f"        {WITHOUT_ITS_FIRST_THREAD}\n").format("pass"),
        "needed more than 600 MB|took longer"),
    "memory that looks unused": (UNUSED, "memory|took longer|Cannot allocate"),
    "memory of the kernel": (KERNEL, "PermissionError"),
    "a memory bomb of many processes": (
        "import os\nfor _ in range(8):\n    try: os.fork()\n    except OSError: pass\n" + MEMORY.replace("50_", "1_"),
        "memory|MemoryError|took longer|process ended"),
    "one huge array": (answering("np.ones(10**12)"), "MemoryError"),
    "a disk filler": (
        "with open('filler', 'wb') as file:\n    while True: file.write(b'x' * 1_000_000)", "File too large|No space"),
    "many files": ("number = 0\nwhile True:\n    open(str(number), 'w').close(); number += 1", "No space|took longer"),
    "a huge answer": (answering("np.zeros(60_000_000)"), "arrays of"),
    "a deep answer": (answering("deep", "deep = []\nfor _ in range(100000): deep = [deep]"), "cannot be looked at"),
    "a long list": (answering("list(range(3_000_000))"), "cannot be looked at"),
    "a text of a megabyte": (answering("'x' * 2_000_000"), "cannot be looked at"),
    "a number beyond all bounds": (answering("10**400"), "not numbers"),
    "answers that never end": (answering("iter(int, 1)"), "not numbers"),
    "an object array": (answering("np.array([object()])"), "cannot be looked at"),
    "a pickle for an array": (answering("np.load('weights.npz')['a']"), "ValueError.*allow_pickle"),
    "not a number": (answering("np.full(np.shape(array), np.nan)"), "NaN"),
    "wrong shapes": (answering("np.ravel(array)"), "another shape"),
    "wrong dtypes": (answering("np.asarray(array).astype(str)"), "cannot be looked at"),
    "a list of odd lengths": (answering("[[1, 2], [3]]"), "not numbers"),
    "nothing": (answering("None"), "not numbers"),
    "a handle made up": (answering("H(7, 'x')", "import sys; H = sys.modules['inside.carrier'].Handle"), "not numbers"),
    "a syntax error": ("def double(array:\n    return 2", "no Python.*line 1"),
    "tabs and spaces mixed": ("def double(array):\n\tif True:\n        return 1\n", "no Python.*line 3"),
    "Latin-1 and wrong": (b"# coment\xe1rio\ndef double(array): return '\xe3'\n", "not numbers"),
    "an empty file": ("", "is empty"),
    "bytes that are no text": (bytes(range(256)) * 20, "no Python|cannot be read|null byte"),
    "brackets without end": ("(" * 100_000, "no Python|cannot be read|process ended"),
    "a source too large": ("x = 1\n" * 400_000, "not handed in|no double"),
    "the stub": ((COURSE / "sums/sums.py").read_text(), "write double"),
    "a forbidden function": (answering("np.linalg.norm(array)"), "uses numpy.linalg.norm: work it out yourself"),
    "a forbidden function in disguise": (answering("getattr(np, 'lin' + 'alg').norm(array)"), "not to be used here"),
    "the kit": (answering("array * 2", "import vitkeras"), "uses vitkeras, which is not open"),
    "the kit in disguise": (answering("array * 2", "__import__('vit' + 'keras')"), "vitkeras is not open|No module"),
    "recursion": (doing("return double(array)"), "RecursionError"),
}  # fmt: skip

# An honest solution with something beside it: full points, and no harm.
HARMLESS = {
    "honest": "",
    "prints a megabyte": "print('x' * 1_000_000)",
    "prints pages": "print('<script>alert(1)</script>', chr(27) + '[31m')",
    "another thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,)).start()",
    "writes results": (
        "import atexit, json\n"
        "def write():\n"
        "    for name in ('results.json', 'gradebook.csv', '../results.json', '/autograder/results/results.json'):\n"
        "        try: open(name, 'w').write(json.dumps({'score': 100}))\n"
        "        except OSError: pass\n"
        "atexit.register(write); write()"
    ),
    "leaves a daemon": DAEMONS,
    "climbs": CLIMBING,
    "calls out": NETWORK,
    "reaches out": REACHING,
    "reads the environment": "import os; print(dict(os.environ))",
    "asks": "try: input('points? ')\nexcept EOFError: print('nobody there')",
    "Latin-1": "# coment\xe1rio: a soma \xe9 simples",
    "UTF-16": "# comentário",
    "remembers": "seen = []",
}
FILES = {  # beside sums.py
    "its own conftest": {
        "conftest.py": "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_call(item): return True"
    },
    "its own tests": {"test_sums.py": "def test_nothing(): pass", "exercise.toml": "title = 'mine'"},
    "sitecustomize": {"sitecustomize.py": "import os; os._exit(0)", "usercustomize.py": "import os; os._exit(0)"},
    "names of libraries": {
        "numpy.py": "raise SystemExit",
        "inside.py": "raise SystemExit",
        "msgpack.py": "raise SystemExit",
    },
    "forged files": {"results.json": "{}", "students/honest/sums.json": '{"points": 99}', "gradebook.csv": "x,100"},
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Results by name, after one grading of all; and what was seen on the machine meanwhile."""
    folder = tmp_path_factory.mktemp("hostile")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    calls = []
    threading.Thread(target=lambda: calls.append(listener.accept()), daemon=True).start()
    paths = [*(COURSE / "for_instructors/sums").iterdir(), COURSE / "sums/test_sums.py", folder / "in/honest/sums.py"]
    paths.append(folder / "out/run.json")
    fill = {"PATHS": repr([str(path) for path in paths]), "PORT": str(port)}
    for name, (source, _) in ATTACKS.items():
        put(folder / "in" / name / "sums.py", source)
    for name, source in HARMLESS.items():
        for word, value in fill.items():
            source = source.replace(word, value)
        text = source + "\n" + SOLUTION
        coding = {"Latin-1": "latin-1", "UTF-16": "utf-16"}.get(name, "utf-8")
        put(folder / "in" / name / "sums.py", text.encode(coding))
    for name, files in FILES.items():
        for file, text in ({"sums.py": SOLUTION} | files).items():
            put(folder / "in" / name / file, text)
    remembering = SOLUTION.replace("return 2 * array", "print('SAW', array.ravel()[:3].tolist()); return 2 * array")
    put(folder / "in/remembers/sums.py", remembering)
    with zipfile.ZipFile(folder / "pickled.zip", "w") as archive, archive.open("a.npy", "w") as file:
        np.lib.format.write_array(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (folder / "pickled.zip").rename(folder / "in/a pickle for an array/weights.npz")
    (folder / "in/missing file").mkdir()
    put(folder / "in/missing file/notes.txt", "I had no time")
    (folder / "in/link").mkdir()
    (folder / "in/link/sums.py").symlink_to(folder / "in/honest/sums.py")
    zipped(folder / "in/link in a zip.zip", {"sums.py": str(folder / "in/honest/sums.py")}, kind=stat.S_IFLNK)
    zipped(
        folder / "in/out of the zip.zip", {"../honest/sums.py": "raise SystemExit", "/tmp/sums.py": "raise SystemExit"}
    )
    zipped(folder / "in/zip bomb.zip", {"sums.py": b"\0" * 100_000_000})
    (folder / "in/no zip.zip").write_bytes(b"PK\3\4" + bytes(100))

    os.environ["VITKERAS_TEST_SECRET"] = SECRET
    try:
        grade(folder / "in", folder / "out", [exercise.read(COURSE / "sums")], jobs=2, seed="a seed")
    finally:
        del os.environ["VITKERAS_TEST_SECRET"]
    results = {
        one[0]["student"]: one[0] for _, one in outputs.students(folder / "out", outputs.read_run(folder / "out"))
    }
    return results, calls, folder


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def zipped(path, members, kind=stat.S_IFREG):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, (kind | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gains_nothing_and_has_its_own_line(graded, name):
    result = graded[0][name]
    first = result["tests"][0]
    assert result["points"] == 0, [(test["title"], test["status"]) for test in result["tests"]]
    assert result["max_points"] == 14
    assert re.search(ATTACKS[name][1], first["message"] + result["problem"]), (first, result["notes"])


@pytest.mark.parametrize("name", [*HARMLESS, *FILES])
def test_an_honest_solution_beside_something_else_keeps_its_points(graded, name):
    result = graded[0][name]
    assert result["points"] == result["max_points"] == 14, [test["message"] for test in result["tests"]]


@pytest.mark.parametrize("name", ["missing file", "link", "link in a zip", "out of the zip", "zip bomb", "no zip"])
def test_a_file_that_does_not_come_gets_no_points_and_a_reason(graded, name):
    result = graded[0][name]
    assert (result["points"], result["max_points"]) == (0, 14)
    assert "sums.py" in result["problem"]
    assert name == "missing file" or result["notes"]


def test_nobody_reaches_tests_solutions_or_other_students(graded):
    assert "FOUND []" in graded[0]["reaches out"]["output"]


def test_nobody_climbs_the_walls(graded):
    assert "DONE []" in graded[0]["climbs"]["output"]


def test_nobody_has_a_network(graded):
    assert "CONNECTED" not in graded[0]["calls out"]["output"]
    assert graded[1] == []


def test_the_environment_is_not_told(graded):
    output = graded[0]["reads the environment"]["output"]
    assert "HOME" in output
    assert SECRET not in output


def test_nothing_outlives_the_grading(graded):
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
    assert not [command for command in commands if DAEMON.encode() in command]


def test_what_is_printed_is_cut(graded):
    assert 4000 < len(graded[0]["prints a megabyte"]["output"]) < 10_000


def test_inputs_of_hidden_tests_do_not_get_out_through_what_is_printed(graded):
    _, _, folder = graded
    slug = graded[0]["remembers"]["slug"]
    assert graded[0]["remembers"]["output"].count("SAW") == 1  # the one visible test that doubles something
    assert "<script>alert" not in (folder / f"out/feedback/{graded[0]['prints pages']['slug']}.html").read_text()
    assert "SAW" in (folder / f"out/feedback/{slug}.html").read_text()


def test_the_gradebook_has_a_row_for_everyone(graded):
    rows = (graded[2] / "out/gradebook.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + len(ATTACKS) + len(HARMLESS) + len(FILES) + 6


def test_only_results_lie_in_the_folder_of_grades(graded):
    names = {path.name for path in (graded[2] / "out/students").glob("*/*")}
    assert names == {"sums.json"}
    for result in graded[0].values():
        assert json.dumps(result).count('"points": 99') == 0
