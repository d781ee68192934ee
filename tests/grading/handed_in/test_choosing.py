import hashlib

import pytest

from vitkeras.grading.handed_in.choosing import chosen, fingerprint
from vitkeras.grading.handed_in.unpacking import Opened


@pytest.fixture
def choose(tmp_path):
    """Choose among files of these names; give {wanted: the name of what was taken}, what is missing, the notes."""

    def choose_among(*names, wanted=("attention.py",), optional=(), alone=False, student="Ana Souza"):
        files = {}
        for number, name in enumerate(names):
            files[name] = tmp_path / f"{number}"
            files[name].write_text(name, encoding="utf-8")
        result = chosen(Opened(files, [], student), "attention", wanted, optional, alone)
        taken = {name: path.read_text(encoding="utf-8") for name, path in result.files.items()}
        return taken, result.missing, "\n".join(result.notes)

    return choose_among


def test_the_file_of_the_right_name_is_taken_without_a_word(choose):
    assert choose("patches.py", "attention.py", "notes.txt") == ({"attention.py": "attention.py"}, [], "")


@pytest.mark.parametrize(
    "name",
    [
        "Attention.PY", "ATTENTION.py", "attention (1).py", "attention(1).py", "attention-1.py", "attention_2.py",
        "attention 3.py", "attention_final.py", "Cópia de attention.py", "Copy of attention.py", "attention - Copy.py",
        "attention - Cópia (2).py", "attention.py.txt", "attention .py", "attention_v2_FINAL.py", "attention.py.py",
        "ana_souza_attention.py", "AnaSouza-attention.py", "attention-Ana-123456.py", "Attention (1).py.TXT",
        "attention_solution.py",
    ],
)  # fmt: skip
def test_odd_names_are_recognised_and_told(choose, name):
    taken, missing, notes = choose(name, "patches.py")
    assert taken == {"attention.py": name}
    assert not missing
    assert f"{name} was taken for attention.py" in notes


@pytest.mark.parametrize(
    "name",
    [
        "attention_maps.py", "self_attention.py", "attention", "attention.txt", "attention.md", "attentions.py",
        "test_attention.py", "attention_test.py", "Test_Attention.PY", "conftest.py", "sitecustomize.py", "maps.py",
        "attention.py.bak", "attention.pyc", "attention.ipynb", "attention.py/readme.md",
    ],
)  # fmt: skip
def test_what_says_something_else_is_not_taken(choose, name):
    taken, missing, _ = choose(name)
    assert not taken
    assert missing == ["attention.py"]


@pytest.mark.parametrize(
    "in_order",
    [
        ["work/attention/attention.py", "src/attention.py"],
        ["attention/old/attention.py", "attention.py"],
        ["attention/attention.py", "attention/old/attention.py"],
        ["attention.zip/attention.py", "attention.py"],
        ["Attention (1)/attention.py", "attention.py"],
        ["attention.py", "src/attention.py"],
        ["src/attention.py", "src/old/attention.py"],
        ["src/attention.py", "attention_final.py"],
        ["attention-2.py", "attention-1.py", "attention.py"],
        ["attention (10).py", "attention (9).py"],
        ["attention.py", "Attention.py"],
        ["attention.py", "Cópia de attention.py"],
    ],
)
def test_of_several_one_is_preferred_and_all_are_told(choose, in_order):
    for names in (in_order, in_order[::-1]):
        taken, _, notes = choose(*names)
        assert taken == {"attention.py": in_order[0]}
        assert f"{in_order[0]}, which was taken" in notes
        assert all(name in notes for name in in_order)


def test_copies_of_one_file_are_not_worth_a_note(tmp_path):
    (tmp_path / "1").write_text("same")
    (tmp_path / "2").write_text("same")
    result = chosen(
        Opened({"attention.py": tmp_path / "1", "a/attention.py": tmp_path / "2"}), "attention", ["attention.py"]
    )
    assert (list(result.files), result.missing, result.notes) == (["attention.py"], [], [])


def test_tests_and_machinery_are_taken_only_where_they_are_asked_for(choose):
    taken, missing, _ = choose("test_attention.py", "src/conftest.py", wanted=("test_attention.py", "conftest.py"))
    assert taken == {"test_attention.py": "test_attention.py", "conftest.py": "src/conftest.py"}
    assert not missing


def test_a_lone_python_file_is_meant_whatever_it_is_called(choose):
    names = ("homework7.py", "test_attention.py", "conftest.py", "report.pdf")
    taken, missing, notes = choose(*names, alone=True)
    assert taken == {"attention.py": "homework7.py"}
    assert not missing
    assert "homework7.py, the only Python file" in notes
    assert choose(*names, alone=False)[1] == ["attention.py"]
    assert choose(*names, "another.py", alone=True)[1] == ["attention.py"]


def test_one_file_is_not_taken_for_two(choose):
    taken, missing, _ = choose("shapes.py", wanted=("shapes.py", "shapes_2.py"), alone=True)
    assert taken == {"shapes.py": "shapes.py"}
    assert missing == ["shapes_2.py"]


def test_optional_files_come_along_and_are_not_missed(choose):
    names = ("attention.py", "Model.keras", "report.md")
    taken, missing, _ = choose(*names, optional=["model.keras", "other.keras"])
    assert taken == {"attention.py": "attention.py", "model.keras": "Model.keras"}
    assert not missing


def test_numbers_that_belong_to_the_name_are_no_versions(choose):
    taken, _, _ = choose("mnist_995.py", "mnist_995-2.py", "mnist.py", wanted=["mnist_995.py"])
    assert taken == {"mnist_995.py": "mnist_995-2.py"}
    assert choose("encoder block.py", wanted=["encoder_block.py"])[0] == {"encoder_block.py": "encoder block.py"}
    assert choose("EncoderBlock.py", wanted=["encoder_block.py"])[0] == {"encoder_block.py": "EncoderBlock.py"}


@pytest.mark.parametrize(
    ("name", "advice"),
    [("attention.ipynb", "notebook"), ("work.pdf", "PDF"), ("a.docx", "Word"), ("main.py", "none of them called")],
)
def test_what_came_instead_is_named_with_what_to_do(choose, name, advice):
    _, missing, notes = choose(name)
    assert missing == ["attention.py"]
    assert name in notes
    assert advice in notes
    assert advice not in choose(name, "attention.py")[2]


def test_the_fingerprint_hangs_on_names_and_bytes_and_nothing_else(tmp_path):
    one, two, same = (tmp_path / name for name in ("one", "two", "same"))
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    same.write_bytes(b"1")
    whole = fingerprint({"a.py": one, "b.py": two})
    assert whole == fingerprint({"b.py": two, "a.py": same})
    others = [{"a.py": one}, {"a.py": two, "b.py": one}, {"a.py": one, "c.py": two}, {"a.pyb.py": two}, {}]
    assert len({whole, *map(fingerprint, others)}) == 6
    assert len(whole) == len(hashlib.sha256().hexdigest())
