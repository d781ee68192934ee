"""Grading on a cluster: the same points, behind the same walls, even if a node is killed."""

import threading
import time
from pathlib import Path

import pytest

from vitkeras.benchmark.nodes import Nodes
from vitkeras.grading import __main__ as program
from vitkeras.grading import walls
from vitkeras.grading.results import outputs

pytest.importorskip("ray", reason="clusters need the extra [cluster]")

COURSE = Path(__file__).parent / "course"
SOLUTION = (COURSE / "for_instructors/sums/sums.py").read_text()
SLOW = "import time; time.sleep(1.5)\n" + SOLUTION
NOSY = """
import glob, socket
assert not glob.glob("/tmp/vitkeras-*"), "the desk's folder is in sight"
try:
    socket.create_connection(("{}", {}), 1)
except OSError:
    pass
else:
    raise AssertionError("Ray can be reached")
"""


def kill_later(nodes, done, killed):
    """As soon as some results are there, and others are being worked on."""
    deadline = time.monotonic() + 120
    while len(there := list(done.glob("*/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    killed.append(len(there))
    nodes.kill(1)


@pytest.mark.skipif(bool(walls.bubblewrap_lacks()), reason="students' code runs on a cluster behind bubblewrap only")
def test_a_class_is_graded_on_two_nodes_of_which_one_is_killed(tmp_path, capsys):
    sources = {"ana": SOLUTION, "bo": SOLUTION.replace("np.sum(array)", "array[0]"), "caio": "x ="}
    sources |= {f"slow{number}": SLOW for number in range(4)}
    done, killed = tmp_path / "out" / "students", []
    with Nodes(nodes=2) as nodes:
        sources["dora"] = NOSY.format(*nodes.address.split(":")) + SOLUTION
        for name, source in sources.items():
            (tmp_path / "in" / name).mkdir(parents=True)
            (tmp_path / "in" / name / "sums.py").write_text(source)
        killer = threading.Thread(target=kill_later, args=(nodes, done, killed))
        killer.start()
        words = ["grade", tmp_path / "in", "--out", tmp_path / "out", "--seed", "first", "--cluster", nodes.address]
        code = program.main([*map(str, words), "--exercises", str(COURSE), "--exercise", "sums"])
        killer.join()
    assert code == 0, capsys.readouterr().err
    assert killed[0] < len(sources)
    found = dict(outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out")))
    assert {slug: results[0]["points"] for slug, results in found.items()} == (
        {"ana": 14, "bo": 10, "caio": 0, "dora": 14} | {f"slow{number}": 14 for number in range(4)}
    )
    assert all(results[0]["walls"].startswith("bubblewrap") for results in found.values())
    assert not any(results[0]["problem"] for results in found.values())
