"""Two processes learn what one learns, and a process that goes wrong is told of."""

import subprocess
import sys

import pytest

from vitkeras import several
from vitkeras.errors import Problem

pytest.importorskip("jax", reason="lesson 19 needs the extra [jax]")


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("19_several_machines", folder, "--quick", "--data", "drawn", fresh=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, record_of(folder / "runs" / "19_several_machines")


def test_two_processes_learn_what_one_learns(finished):
    results = finished[1]["results"]
    for name, values in results["history"]["alone"].items():
        assert results["history"]["together"][name] == pytest.approx(values, rel=1e-4), name
    assert results["weights_apart"] == 0
    assert results["history"]["alone"]["loss"][1] < results["history"]["alone"]["loss"][0]


def test_it_ends_in_the_answer(finished):
    assert finished[0].splitlines()[-1] == finished[1]["results"]["answer"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--process", "3"], "none of 2"),
        (["--process", "1"], "--meet"),
        (["--precision", "bfloat16"], "float32"),
        (["--processes", "1"], "2 or more"),
        (["--processes", "7"], "240"),
    ],
)
def test_a_wrong_number_of_processes_ends_with_2(run_lesson, tmp_path, words, hint):
    done = run_lesson("19_several_machines", tmp_path, "--quick", "--data", "drawn", *words, fresh=True)
    assert done.returncode == 2, done.stderr
    assert hint in done.stderr


def test_a_process_that_fails_ends_the_others_and_is_told_of(tmp_path):
    scripts = ("import time; time.sleep(600)", "raise SystemExit('there is no such host')")
    logs = [tmp_path.joinpath(f"{number}.txt").open("w+") for number in (1, 2)]
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdout=log, stderr=log)
        for script, log in zip(scripts, logs, strict=True)
    ]
    with pytest.raises(Problem, match="process 2 failed with exit code 1: there is no such host"):
        several.wait_for(processes, logs)
    assert all(process.returncode is not None for process in processes)
    for log in logs:
        log.close()
