"""The lesson on the price of attention, run once on a small budget. Of its times only what must hold is claimed."""

import numpy as np
import pytest
from PIL import Image

PARTS = {"projections", "scores and mix", "mlp", "ours", "keras", "keras, with scores"}


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("11_price_of_attention", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "runs" / "11_price_of_attention", record_of(folder / "runs" / "11_price_of_attention")


def test_graph_and_formulas_agree(finished):
    assert "graph and formulas agree for all N: True" in finished[0]


def test_the_formulas_count_what_loops_over_every_index_would(finished):
    width, mlp_dim, heads = 64, 256, 4
    for n, counted in finished[2]["results"]["counted"].items():
        n = int(n)
        assert counted == {
            "projections": sum(n * width * width for _ in "qkvo"),
            "scores and mix": sum(heads * n * n * (width // heads) for _ in ("QK", "AV")),
            "mlp": n * width * mlp_dim + n * mlp_dim * width,
        }


def test_the_counted_crossings_are_where_the_formulas_are_equal(finished):
    line = next(line for line in finished[0].splitlines() if line.startswith("D = 64"))
    projections, mlp, rest = 4 * 64**2, 8 * 64**2, 12 * 64**2  # a token
    for cost, n in ((projections, 128), (mlp, 256), (rest, 384)):
        assert 2 * n * 64 == cost
        assert f"{n}" in line


def test_every_raw_time_is_kept_and_the_times_are_their_medians(finished):
    results = finished[2]["results"]
    assert set(results["times"]) == PARTS
    for row in results["trainings"]:
        place = finished[2]["settings"]["tokens"].index(row["tokens"])
        for name, values in row["milliseconds"].items():
            assert len(values) == 5
            assert min(values) > 0
            assert results["times"][name][place] == pytest.approx(np.median(values))  # the only sweep of --quick


def test_the_answer_tells_the_recorded_numbers(finished):
    results = finished[2]["results"]
    assert finished[0].splitlines()[-1] == results["answer"]
    crossing = results["crossings"]["attention and MLP"]
    for said in (f"{results['exponents']['scores and mix']:.2f}", f"{crossing:.0f}" if crossing else "not between"):
        assert said in results["answer"]
    assert "not MNIST" in results["answer"]


def test_the_picture_is_there(finished):
    with Image.open(finished[1] / "price.png") as image:
        image.verify()


def test_a_width_that_the_heads_cannot_share_is_refused_in_one_line(run_lesson, tmp_path):
    done = run_lesson("11_price_of_attention", tmp_path, "--width", 30)
    assert done.returncode == 2
    assert "multiple of 4" in done.stderr
    assert "Traceback" not in done.stderr
