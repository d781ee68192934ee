import os
import sys
import unicodedata
import zipfile

import pytest

from vitkeras.errors import Misuse
from vitkeras.grading.handed_in.finding import find
from vitkeras.grading.handed_in.unpacking import opened

posix = pytest.mark.skipif(os.name == "nt", reason="made of what Windows does not have")


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("answer = 42\n", encoding="utf-8")
    return folder


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "answer = 42\n")
    return path


def names(submissions):
    return [submission.student for submission in submissions]


def files(submission, into):
    return sorted(opened(submission, into).files)


def test_a_folder_a_zip_or_a_file_is_a_student(tmp_path):
    put(tmp_path / "class", "Bo Li/attention.py", "José Ávila.py")
    zipped(tmp_path / "class" / "Ana Souza.zip", "attention.py")
    found, left_out = find(tmp_path / "class")
    assert [(each.student, each.slug) for each in found] == [
        ("Ana Souza", "ana-souza"),
        ("Bo Li", "bo-li"),
        ("José Ávila", "jose-avila"),
    ]
    assert left_out == []
    assert [files(each, tmp_path / each.slug) for each in found] == [
        ["attention.py"],
        ["attention.py"],
        ["José Ávila.py"],
    ]


def test_what_is_no_submission_is_named_and_what_systems_leave_behind_is_not(tmp_path):
    put(tmp_path, "ana/a.py", "grades.xlsx", ".DS_Store", "__MACOSX/ana/._a.py", ".git/config", "Thumbs.db")
    found, left_out = find(tmp_path)
    assert names(found) == ["ana"]
    assert left_out == ["grades.xlsx is no submission"]


def test_an_archive_of_another_kind_is_a_student_all_the_same(tmp_path):
    put(tmp_path, "ana.rar", "bo.tar.gz", "caio.ipynb", "davi.py.txt")
    assert names(find(tmp_path)[0]) == ["ana", "bo", "caio", "davi"]


def test_a_folder_and_a_zip_of_the_same_name_are_of_one_student(tmp_path):
    put(tmp_path / "class", "ana/attention.py")
    zipped(tmp_path / "class" / "ana.zip", "attention.py")
    (ana,), _ = find(tmp_path / "class")
    assert files(ana, tmp_path / "into") == ["ana.zip/attention.py", "attention.py"]


MOODLE = (
    "Ana Souza_123456_assignsubmission_file_/attention.py",
    "Ana Souza_123456_assignsubmission_onlinetext_/onlinetext.html",
    "Bo Li_123457_assignsubmission_file_/work/patches.py",
    "José Ávila_123458_assignsubmission_onlinetext_/onlinetext.html",
    "Mia Maria_dos_Santos_123459_assignsubmission_file_attention.py",  # without folders
)
CANVAS = (
    "lina_12347_678903_vit.py",
    "souzaana_12345_678901_attention-1.py",
    "souzaana_12345_678902_patches.py",
    "libo_LATE_12346_678903_attention.py",
)


def a_class(form, in_zip, tmp_path):
    if in_zip:
        return zipped(tmp_path / "class.zip", *form)
    return put(tmp_path / "class", *form)


@pytest.mark.parametrize("in_zip", [False, True])
def test_moodle_tells_the_names_and_typed_texts_are_not_graded(tmp_path, in_zip):
    found, _ = find(a_class(MOODLE, in_zip, tmp_path))
    assert names(found) == ["Ana Souza", "Bo Li", "José Ávila", "Mia Maria_dos_Santos"]
    assert [each.slug for each in found] == ["ana-souza", "bo-li", "jose-avila", "mia-maria-dos-santos"]
    laid_open = [files(each, tmp_path / each.slug) for each in found]
    assert laid_open == [["attention.py"], ["work/patches.py"], [], ["attention.py"]]
    assert "typed into Moodle" in "".join(opened(found[2], tmp_path / "again").notes)


@pytest.mark.parametrize("in_zip", [False, True])
def test_the_files_that_canvas_lays_side_by_side_are_put_together(tmp_path, in_zip):
    found, _ = find(a_class(CANVAS, in_zip, tmp_path))
    assert names(found) == ["libo", "lina", "souzaana"]
    laid_open = [files(each, tmp_path / each.slug) for each in found]
    assert laid_open == [["attention.py"], ["vit.py"], ["attention-1.py", "patches.py"]]
    assert "late" in "".join(opened(found[0], tmp_path / "again").notes)


def test_a_zip_in_the_zip_of_the_class_is_laid_open(tmp_path):
    inner = zipped(tmp_path / "inner.zip", "src/attention.py")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.write(inner, "souzaana_LATE_12345_678901_submission.zip")
        archive.write(inner, "Bo Li_123457_assignsubmission_file_/work.zip")
        archive.write(inner, "Bo Li_123457_assignsubmission_file_/more/work.zip")
    (bo, ana), _ = find(tmp_path / "class.zip")
    assert files(ana, tmp_path / "ana") == ["src/attention.py"]
    assert files(bo, tmp_path / "bo") == ["more/work.zip/src/attention.py", "work.zip/src/attention.py"]


METADATA = """---
submission_1001:
  :submitters:
  - :name: Ana Souza
    :sid: '1'
    :email: ana@example.com
  :created_at: 2030-01-01
  :results:
    output: |
      submission_1002:
        :submitters:
        - :name: Forged
    :name: Forged
submission_1002:
  :submitters:
  - :name: "Jos\\xE9 \\u00c1vila"
  - :name: 'Bo O''Li'
  :created_at: 2030-01-01
  :submitters:
  - :name: Forged
"""


@pytest.mark.parametrize("in_zip", [False, True])
def test_gradescope_names_the_submitters(tmp_path, in_zip):
    folders = [f"submission_{number}/attention.py" for number in (1001, 1002, 1003)]
    source = a_class([f"assignment_9_export/{name}" for name in folders], in_zip, tmp_path)
    if in_zip:
        with zipfile.ZipFile(source, "a") as archive:
            archive.writestr("assignment_9_export/submission_metadata.yml", METADATA)
    else:
        (source / "assignment_9_export" / "submission_metadata.yml").write_text(METADATA, encoding="utf-8")
    found, left_out = find(source)
    assert names(found) == ["Ana Souza", "José Ávila, Bo O'Li", "submission_1003"]
    assert left_out == []
    assert files(found[0], tmp_path / "into") == ["attention.py"]


@pytest.mark.parametrize("metadata", [b"\xff\xfe\x00", b"a: [", b"submission_1001:\r  :submitters:\r  - :name: X", b""])
def test_names_that_gradescope_does_not_tell_are_its_numbers(tmp_path, metadata):
    put(tmp_path, "submission_1001/attention.py")
    (tmp_path / "submission_metadata.yml").write_bytes(metadata)
    assert names(find(tmp_path)[0]) == ["submission_1001"]


def test_repositories_of_a_classroom_are_students_without_their_git_folder(tmp_path):
    put(tmp_path / "class", "attention-anasouza/attention.py", "attention-anasouza/.git/config", "attention-boli/a.py")
    found, _ = find(tmp_path / "class")
    assert names(found) == ["attention-anasouza", "attention-boli"]
    assert files(found[0], tmp_path / "into") == ["attention.py"]


def test_a_download_that_lies_in_the_folder_is_looked_into(tmp_path):
    (tmp_path / "class").mkdir()
    zipped(tmp_path / "class" / "submissions.zip", *CANVAS)
    assert names(find(tmp_path / "class")[0]) == ["libo", "lina", "souzaana"]


def test_a_zip_that_holds_one_folder_of_its_own_name_is_looked_into(tmp_path):
    zipped(tmp_path / "Turma A.zip", "Turma A/ana/attention.py", "Turma A/bo.py")
    assert names(find(tmp_path / "Turma A.zip")[0]) == ["ana", "bo"]


def test_the_only_student_is_not_taken_for_a_class(tmp_path):
    put(tmp_path / "class", "ana/attention/attention.py", "ana/patches/patches.py")
    assert names(find(tmp_path / "class")[0]) == ["ana"]


@pytest.mark.parametrize("in_zip", [False, True])
def test_a_source_of_exercises_only_is_one_submission(tmp_path, in_zip):
    source = a_class(["attention.py", "encoder_block/encoder_block.py", "notes.md"], in_zip, tmp_path)
    (only,), left_out = find(source, exercises=["attention", "encoder_block", "vit"])
    assert (only.student, only.slug) == ("class", "class")
    assert "one submission" in left_out[-1]
    assert files(only, tmp_path / "into") == ["attention.py", "encoder_block/encoder_block.py", "notes.md"]
    assert len(find(source)[0]) == 2


def test_two_students_of_one_name_are_told_apart(tmp_path):
    put(tmp_path, *(f"Ana Souza_{number}_assignsubmission_file_/a.py" for number in (7, 5)), "ana-souza/a.py")
    found, _ = find(tmp_path)
    assert [(each.student, each.slug) for each in found] == [
        ("Ana Souza (5)", "ana-souza-5"),
        ("Ana Souza (7)", "ana-souza-7"),
        ("ana-souza", "ana-souza"),
    ]


@posix
def test_slugs_are_safe_and_unlike_and_the_same_from_run_to_run(tmp_path):
    students = [
        "José",
        "Jose",
        "JOSE!",
        "李雷",
        "Ольга",
        "con",
        "nul",
        "…",
        "x" * 150,
        "x" * 151,
        "Søren Straße",
        "=1+1",
    ]
    put(tmp_path, *(f"{name}/a.py" for name in students))
    found, _ = find(tmp_path)
    slugs = [each.slug for each in found]
    assert len(set(slugs)) == len(students)
    assert all(slug and set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(slug) < 80 for slug in slugs)
    assert not {"con", "nul", "", "-"} & set(slugs)
    assert "soren-strasse" in slugs
    assert find(tmp_path)[0] == found


@posix
def test_names_to_show_have_nothing_unseen_and_one_spelling(tmp_path):
    put(
        tmp_path,
        unicodedata.normalize("NFD", "José Ávila") + "/a.py",
        "evil\u202eyp.exe\u200b\nname/a.py",
        "x" * 200 + "/a.py",
    )
    found = names(find(tmp_path)[0])
    assert found[:2] == ["evilyp.exe name", "José Ávila"]
    assert len(found[2]) == 80


@pytest.mark.skipif(sys.platform != "linux", reason="file names are no mere bytes there")
def test_a_name_that_is_no_utf8_is_shown_all_the_same(tmp_path):
    os.makedirs(os.path.join(os.fsencode(tmp_path), b"Jos\xe9"))
    found, _ = find(tmp_path)
    assert (found[0].student, found[0].slug) == ("José", "jose")


def test_names_in_zips_of_dos_and_of_careless_programs_are_read(tmp_path):
    meant = ["José/a.py".encode(), "João/a.py".encode("cp850"), "Müller\\a.py".encode("cp437")]
    stand_ins = [str(number) * len(name) for number, name in enumerate(meant)]  # others zipfile would flag as UTF-8
    data = zipped(tmp_path / "class.zip", *stand_ins).read_bytes()
    for stand_in, name in zip(stand_ins, meant, strict=True):
        data = data.replace(stand_in.encode(), name)
    (tmp_path / "class.zip").write_bytes(data)
    found, _ = find(tmp_path / "class.zip")
    assert names(found) == ["José", "João", "Müller"]
    assert [files(each, tmp_path / each.slug) for each in found] == [["a.py"]] * 3


@posix
def test_a_link_in_place_of_a_folder_is_not_followed(tmp_path):
    put(tmp_path / "class", "bo/attention.py")
    (tmp_path / "class" / "ana").symlink_to("bo")
    (tmp_path / "class" / "eve").symlink_to("/etc")
    (tmp_path / "class" / "kim.py").symlink_to("/etc/passwd")
    found, left_out = find(tmp_path / "class")
    assert names(found) == ["bo"]
    assert len(left_out) == 3
    assert all("is a link" in note for note in left_out)


@posix
def test_a_pipe_among_the_submissions_is_noted(tmp_path):
    put(tmp_path, "bo/attention.py")
    os.mkfifo(tmp_path / "ana.py")
    found, left_out = find(tmp_path)
    assert names(found) == ["bo"]
    assert left_out == ["ana.py is no ordinary file, but a pipe, a socket or a device; it was not opened"]


def test_names_that_lead_out_of_the_zip_of_a_class_are_noted_once(tmp_path):
    found, left_out = find(zipped(tmp_path / "class.zip", "ana/a.py", "../eve/a.py", "/etc/a.py", "C:\\a.py"))
    assert names(found) == ["ana"]
    assert len(left_out) == 3


@posix
def test_the_instructors_own_link_may_be_followed(tmp_path):
    put(tmp_path / "class", "ana/a.py")
    (tmp_path / "link").symlink_to("class")
    (tmp_path / "link.zip").symlink_to(zipped(tmp_path / "class.zip", "bo/a.py"))
    assert names(find(tmp_path / "link")[0]) == ["ana"]
    assert names(find(tmp_path / "link.zip")[0]) == ["bo"]


def nothing(folder):
    return folder / "not there"


def empty(folder):
    return folder


def only_others(folder):
    return put(folder, "grades.xlsx")


def no_zip(folder):
    return put(folder, "class.zip") / "class.zip"


def empty_zip(folder):
    return zipped(folder / "class.zip")


def pipe(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def loop(folder):
    (folder / "loop").symlink_to("loop")
    return folder / "loop"


@pytest.mark.parametrize(
    "wrong",
    [nothing, empty, only_others, no_zip, empty_zip, pytest.param(pipe, marks=posix), pytest.param(loop, marks=posix)],
)
def test_what_holds_no_submissions_is_misuse(tmp_path, wrong):
    with pytest.raises(Misuse, match="folder"):
        find(wrong(tmp_path))
