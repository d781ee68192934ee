import io
import os
import random
import socket
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from vitkeras.errors import Problem
from vitkeras.grading.handed_in import unpacking
from vitkeras.grading.handed_in.finding import Submission, find
from vitkeras.grading.handed_in.naming import Refused, inner_name, slug
from vitkeras.grading.handed_in.regular_files import open_regular
from vitkeras.grading.handed_in.unpacking import opened

CODE = b"answer = 42\n"
posix = pytest.mark.skipif(os.name == "nt", reason="made of what Windows does not have")
ZEROS = bytes(3_000_000)


@pytest.fixture
def lay_open(tmp_path):
    """Open one submission, look that nothing was written elsewhere, and give {name: bytes} and the notes in one."""

    def lay(*parts, members=(), notes=()):
        into = tmp_path / "into"
        before = everything(tmp_path)
        result = opened(Submission("Ana Souza", "ana-souza", parts, members, notes), into)
        assert everything(tmp_path) - before <= {into} | {path for path in everything(into) if path.is_file()}
        assert all(path.parent == into and stat.S_ISREG(path.lstat().st_mode) for path in result.files.values())
        assert everything(into) == set(result.files.values())  # no zip in between, no half file
        assert all(note == " ".join(note.split()) and note.isprintable() for note in result.notes)
        return {name: path.read_bytes() for name, path in result.files.items()}, "\n".join(result.notes)

    return lay


def everything(folder):
    """All below `folder`, without going anywhere else."""
    return {Path(place, name) for place, folders, names in os.walk(folder) for name in folders + names}


def a_zip(path, files, method=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # two members of one name are meant
        for name, content in files.items() if isinstance(files, dict) else files:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return path


def bytes_of_zip(files, method=zipfile.ZIP_DEFLATED):
    return a_zip(io.BytesIO(), files, method).getvalue()


def special(name, kind, content="/etc/passwd"):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info, content


def test_a_folder_is_taken_with_its_subfolders(tmp_path, lay_open):
    work = tmp_path / "ana"
    (work / "src" / "more").mkdir(parents=True)
    (work / "attention.py").write_bytes(CODE)
    (work / "src" / "more" / "patches.py").write_bytes(b"2")
    files, notes = lay_open(work)
    assert files == {"attention.py": CODE, "src/more/patches.py": b"2"}
    assert notes == ""


def test_what_tools_leave_behind_is_no_work(tmp_path, lay_open):
    left = [
        "__MACOSX/._attention.py", "src/.DS_Store", ".ipynb_checkpoints/attention.py", "__pycache__/attention.pyc",
        ".hidden.py", "env/pyvenv.cfg", "env/lib/python3/attention.py", "env/bin/activate.py", "my/site-packages/a.py",
    ]  # fmt: skip
    for name in [*left, "attention.py", "env/attention.py"]:
        path = tmp_path / "ana" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CODE)
    expected = ["attention.py", "env/attention.py", "env/pyvenv.cfg"]
    assert sorted(lay_open(tmp_path / "ana")[0]) == expected
    zipped = a_zip(tmp_path / "ana.zip", dict.fromkeys([*left, *expected], CODE))
    assert sorted(lay_open(zipped)[0]) == expected


def test_zips_in_zips_are_opened_three_deep(tmp_path, lay_open):
    inner = CODE
    for depth in range(4, 0, -1):
        inner = bytes_of_zip({f"{depth}.py": CODE, f"{depth}.zip": inner})
    (tmp_path / "ana.zip").write_bytes(inner)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert sorted(files) == ["1.py", "1.zip/2.py", "1.zip/2.zip/3.py"]
    assert "1.zip/2.zip/3.zip is a zip in 3 others" in notes


def test_a_zip_in_a_folder_is_opened_where_it_lies(tmp_path, lay_open):
    (tmp_path / "ana").mkdir()
    a_zip(tmp_path / "ana" / "Work.ZIP", {"attention.py": CODE})
    assert lay_open(tmp_path / "ana") == ({"Work.ZIP/attention.py": CODE}, "")


def test_a_model_is_a_zip_that_stays_whole(tmp_path, lay_open):
    model = bytes_of_zip({"config.json": "{}"})
    assert lay_open(a_zip(tmp_path / "ana.zip", {"model.keras": model}))[0] == {"model.keras": model}


@posix
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../bo/attention.py", "attention.py", "/etc", "../bo", ".", "nowhere"]
)
def test_a_link_in_a_folder_is_not_followed(tmp_path, lay_open, target):
    for student in ("ana", "bo"):
        (tmp_path / student).mkdir()
        (tmp_path / student / "attention.py").write_bytes(student.encode())
    (tmp_path / "ana" / "linked.py").symlink_to(target)
    files, notes = lay_open(tmp_path / "ana")
    assert files == {"attention.py": b"ana"}
    assert "linked.py is a link" in notes


@posix
def test_a_submission_that_is_a_link_itself_is_not_followed(tmp_path, lay_open):
    (tmp_path / "ana").symlink_to("/etc")
    files, notes = lay_open(tmp_path / "ana")
    assert not files
    assert "ana is a link" in notes


@posix
def test_a_link_that_takes_the_place_of_a_file_just_looked_at_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "honest").write_bytes(CODE)
    (tmp_path / "link").symlink_to("secret")
    monkeypatch.setattr(os, "lstat", lambda path: os.stat(tmp_path / "honest"))
    with pytest.raises(Refused, match="is a link"):
        open_regular(tmp_path / "link", 100)


@posix
def test_pipes_sockets_and_devices_are_not_opened(tmp_path, lay_open, monkeypatch):
    work = tmp_path / "ana"
    work.mkdir()
    (work / "patches.py").write_bytes(CODE)
    os.mkfifo(work / "attention.py")
    monkeypatch.chdir(work)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("vit.py")
        files, notes = lay_open(work, Path("/dev/zero"), Path("/dev/stdin"))
    assert files == {"patches.py": CODE}
    for name in ("attention.py", "vit.py", "zero"):
        assert f"{name} is no ordinary file" in notes


def test_a_folder_called_as_the_file_is_noted(tmp_path, lay_open):
    (tmp_path / "ana" / "attention.py").mkdir(parents=True)
    files, notes = lay_open(tmp_path / "ana", a_zip(tmp_path / "b.zip", {"vit.py/": ""}))
    assert not files
    assert "attention.py is a folder, not a file" in notes
    assert "vit.py is a folder, not a file" in notes


@pytest.mark.parametrize("name", ["attention.py", "ana.zip", "model.keras"])
def test_a_file_of_ten_gigabytes_is_not_read(tmp_path, lay_open, name):
    with open(tmp_path / name, "wb") as file:
        try:
            file.truncate(10_000_000_000)
        except OSError:
            pytest.skip("this file system has no files with holes")
    files, notes = lay_open(tmp_path / name)
    assert not files
    assert f"{name} has 10,000,000,000 bytes" in notes


def test_a_file_that_may_not_be_read_is_noted(tmp_path, lay_open, monkeypatch):
    (tmp_path / "ana" / "closed").mkdir(parents=True)
    for name in ("attention.py", "patches.py"):
        (tmp_path / "ana" / name).write_bytes(CODE)

    def refuse(ask):  # root may read everything
        def asked(path, *more):
            if str(path).endswith(("attention.py", "closed")):
                raise PermissionError(13, "Permission denied")
            return ask(path, *more)

        return asked

    before = everything(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse(os.open))
        patched.setattr(os, "scandir", refuse(os.scandir))
        result = opened(Submission("Ana", "ana", (tmp_path / "ana",)), tmp_path / "into")
    assert list(result.files) == ["patches.py"]
    assert {note.partition(" ")[0] for note in result.notes} == {"attention.py", "closed"}
    assert all("may not be read" in note for note in result.notes)
    assert len(everything(tmp_path) - before) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.py", "leads out"),
        ("a/../../evil.py", "leads out"),
        ("..\\evil.py", "leads out"),
        ("a/.. /evil.py", "leads out"),
        ("a/.\u200b./evil.py", "leads out"),
        ("/tmp/evil.py", "absolute"),
        ("//server/share/evil.py", "absolute"),
        ("\\\\server\\share\\evil.py", "absolute"),
        ("C:\\evil.py", "absolute"),
        ("c:evil.py", "absolute"),
        ("CON", "Windows"),
        ("sub/aux.py", "Windows"),
        ("nul .txt", "Windows"),
        ("COM1.py", "Windows"),
        ("a" * 300 + ".py", "characters"),
        ("a/" * 400 + "a.py", "characters"),
        ("a/" * 40 + "a.py", "too deep"),
    ],
)
def test_names_that_lead_elsewhere_or_are_impossible_are_left_out(tmp_path, lay_open, name, reason):
    files, notes = lay_open(a_zip(tmp_path / "ana.zip", {name: b"evil", "attention.py": CODE}))
    assert files == {"attention.py": CODE}
    assert reason in notes
    assert len(notes) < 250


@pytest.mark.parametrize(
    ("raw", "name"), [(b"attention\0.py", "attention .py"), (b"\0\0\0\0", None), (b"\0../a.py", None)]
)
def test_a_zero_byte_in_a_name_hides_nothing(tmp_path, lay_open, raw, name):
    data = bytes_of_zip({"x" * len(raw): CODE}).replace(b"x" * len(raw), raw)
    (tmp_path / "ana.zip").write_bytes(data)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert files == ({name: CODE} if name else {})
    assert bool(name) != bool(notes)


def test_names_are_cleaned_but_kept_recognisable(tmp_path, lay_open):
    names = ["./src//attention.py", "src\\patches.py", "at\u202etention\u200b.py", "Jose\u0301.py", "a\tb.py"]
    files, _ = lay_open(a_zip(tmp_path / "ana.zip", dict.fromkeys(names, CODE)))
    assert set(files) == {"src/attention.py", "src/patches.py", "attention.py", "José.py", "a b.py"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_link_or_a_device_in_a_zip_is_left_out(tmp_path, lay_open, kind):
    entries = [
        special("attention.py", kind),
        special("sub", stat.S_IFLNK, "/tmp"),
        ("sub/evil.py", "1"),
        ("b.py", CODE),
    ]
    files, notes = lay_open(a_zip(tmp_path / "ana.zip", entries))
    assert files == {"b.py": CODE, "sub/evil.py": b"1"}  # `sub` has become no link
    assert "attention.py is" in notes
    assert "sub is a link" in notes


def test_a_bomb_is_known_by_its_ratio_and_the_rest_is_kept(tmp_path, lay_open):
    files, notes = lay_open(a_zip(tmp_path / "ana.zip", {"bomb.bin": ZEROS, "attention.py": CODE}))
    assert files == {"attention.py": CODE}
    assert "bomb.bin unpacks to more than 200 times its size" in notes


def test_small_files_pack_as_well_as_they_like(tmp_path, lay_open):
    files, notes = lay_open(a_zip(tmp_path / "ana.zip", {"zeros.bin": bytes(900_000)}))
    assert len(files["zeros.bin"]) == 900_000
    assert notes == ""


def with_numbers_changed(data, **numbers):
    """The zip `data` of one member, whose size is declared otherwise, in both of its places."""
    data = bytearray(data)
    for magic, places in ((b"PK\1\2", {"packed": 20, "size": 24}), (b"PK\3\4", {"packed": 18, "size": 22})):
        at = data.index(magic)
        for what, number in numbers.items():
            struct.pack_into("<I", data, at + places[what], number)
    return bytes(data)


@pytest.mark.parametrize("numbers", [{"size": 10}, {"size": 5_000_000}, {"packed": 4_000_000_000}, {"packed": 0}])
def test_what_a_zip_says_of_a_size_is_not_believed(tmp_path, lay_open, numbers):
    data = with_numbers_changed(bytes_of_zip({"bomb.bin": ZEROS}), **numbers)
    (tmp_path / "ana.zip").write_bytes(data)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert not files
    assert "bomb.bin" in notes


def test_a_size_beyond_the_limit_is_refused_whether_told_or_not(tmp_path, lay_open, monkeypatch):
    monkeypatch.setattr(unpacking, "FILE", 1000)
    noise = random.Random(0).randbytes(2000)
    honest = bytes_of_zip({"noise.bin": noise})
    for number, data in enumerate((honest, with_numbers_changed(honest, size=900))):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        files, notes = lay_open(path)
        assert not files
        assert "noise.bin" in notes


def test_a_source_is_short(tmp_path, lay_open):
    (tmp_path / "attention.py").write_bytes(b"#" * 2_000_001)
    assert "attention.py has 2,000,001 bytes" in lay_open(tmp_path / "attention.py")[1]


def test_a_submission_has_a_limit_as_a_whole(tmp_path, lay_open, monkeypatch):
    monkeypatch.setattr(unpacking, "SUBMISSION", 500_000)
    noise = random.Random(0).randbytes(200_000)
    (tmp_path / "ana").mkdir()
    for name in ("a.bin", "b.bin", "c.bin", "attention.py"):
        (tmp_path / "ana" / name).write_bytes(noise)
    files, notes = lay_open(tmp_path / "ana")
    assert list(files) == ["attention.py", "a.bin"]
    assert "the submission holds more than 500,000 bytes" in notes


def test_a_bomb_of_bombs_is_stopped_by_what_it_has_cost(tmp_path, lay_open):
    data = ZEROS[:1_000_000]
    for _ in range(3):
        data = bytes_of_zip({f"{number}.zip": data for number in range(12)} | {"data.bin": ZEROS[:990_000]})
    (tmp_path / "ana.zip").write_bytes(data)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert sum(map(len, files.values())) < 200_000_000
    assert "zip bomb" in notes


def test_members_that_share_their_bytes_are_counted_each(tmp_path, lay_open):
    """One packed block that the list of names gives out a thousand times."""
    data = bytes_of_zip({"a.bin": bytes(900_000)})
    directory = data.index(b"PK\1\2")
    entry, end = data[directory:-22], bytearray(data[-22:])
    struct.pack_into("<HHI", end, 8, 1000, 1000, 1000 * len(entry))
    (tmp_path / "ana.zip").write_bytes(data[:directory] + entry * 1000 + end)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert sum(map(len, files.values())) <= 1_000_000
    assert notes


def test_thousands_of_files_end_at_the_limit_with_the_upper_ones_taken_first(tmp_path, lay_open):
    names = [f"data/{number}.txt" for number in range(2500)]
    files, notes = lay_open(a_zip(tmp_path / "ana.zip", dict.fromkeys([*names, "attention.py"], CODE)))
    assert len(files) == 2000
    assert "attention.py" in files
    assert "more than 2,000 files" in notes


def test_thousands_of_folders_end_at_the_limit(tmp_path, lay_open, monkeypatch):
    monkeypatch.setattr(unpacking, "LISTED", 50)
    for number in range(60):
        (tmp_path / "ana" / "data" / f"{number}").mkdir(parents=True)
    (tmp_path / "ana" / "attention.py").write_bytes(CODE)
    files, notes = lay_open(tmp_path / "ana")
    assert list(files) == ["attention.py"]
    assert "too many" in notes
    zipped = a_zip(tmp_path / "b.zip", {f"{number}/": "" for number in range(60)} | {"attention.py": CODE})
    files, notes = lay_open(zipped)
    assert list(files) == ["attention.py"]
    assert "more than 50" in notes


def test_a_list_of_a_hundred_thousand_names_is_not_even_read(tmp_path, lay_open):
    entry = bytes_of_zip({"a.py": CODE})
    directory = entry.index(b"PK\1\2")
    end = bytearray(entry[-22:])
    listed = entry[directory:-22] * 100_000
    struct.pack_into("<HHI", end, 8, 1, 1, len(listed))
    (tmp_path / "ana.zip").write_bytes(entry[:directory] + listed + end)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert not files
    assert "ana.zip lists too many files" in notes


def test_a_folder_deeper_than_any_work_is_left_out(tmp_path, lay_open):
    (tmp_path / "ana" / "/".join("a" * 40)).mkdir(parents=True)
    (tmp_path / "ana" / "/".join("a" * 40) / "deep.py").write_bytes(CODE)
    files, notes = lay_open(tmp_path / "ana")
    assert not files
    assert "too deep" in notes


def test_a_thousand_faults_are_told_in_a_few_lines(tmp_path, lay_open):
    _, notes = lay_open(a_zip(tmp_path / "ana.zip", {f"../{number}.py": CODE for number in range(1000)}))
    assert notes.count("\n") < 50
    assert "960 more" in notes


def test_two_members_of_one_name_are_told_and_the_first_is_taken(tmp_path, lay_open):
    files, notes = lay_open(a_zip(tmp_path / "ana.zip", [("a.py", b"first"), ("a.py", b"second"), ("A.py", b"third")]))
    assert files == {"a.py": b"first", "A.py": b"third"}
    assert "a.py is there more than once" in notes


def test_a_file_and_a_folder_of_one_name_do_not_meet(tmp_path, lay_open):
    files, _ = lay_open(a_zip(tmp_path / "ana.zip", [("a", b"1"), ("a/b.py", b"2"), ("a/b.py/c.py", b"3")]))
    assert files == {"a": b"1", "a/b.py": b"2", "a/b.py/c.py": b"3"}


def locked(data):
    """The zip `data` with the mark of a password on its member."""
    data = bytearray(data)
    for magic, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(magic) + place] |= 1
    return bytes(data)


def damaged(data):
    data = bytearray(data)
    data[data.index(b"answer")] ^= 1
    return bytes(data)


STORED = bytes_of_zip({"attention.py": CODE}, zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (locked(STORED), "attention.py is locked with a password"),
        (damaged(STORED), "attention.py is damaged"),
        (STORED[:60], "ana.zip is a damaged zip"),
        (STORED[:-5], "ana.zip is a damaged zip"),
        (STORED[5:], "attention.py is damaged"),
        (b"PK\3\4", "ana.zip is a damaged zip"),
        (b"", "ana.zip is called .zip but is none"),
        (CODE, "ana.zip is called .zip but is none"),
        (b"Rar!\x1a\x07\x00 and so on", "looks like RAR"),
        (b"7z\xbc\xaf\x27\x1c and so on", "looks like 7-Zip"),
        (bytes_of_zip({"attention.py": CODE}, zipfile.ZIP_BZIP2), "attention.py is packed in a way that is not read"),
        (bytes_of_zip({"attention.py": CODE}, zipfile.ZIP_LZMA), "attention.py is packed in a way that is not read"),
        (bytes_of_zip({}), "holds no file"),
    ],
)
def test_a_zip_that_cannot_be_read_says_why(tmp_path, lay_open, data, reason):
    (tmp_path / "ana.zip").write_bytes(data)
    files, notes = lay_open(tmp_path / "ana.zip")
    assert not files
    assert reason in notes


def test_archives_of_other_kinds_are_named_with_what_to_do(tmp_path, lay_open):
    (tmp_path / "ana").mkdir()
    for name in ("a.rar", "b.7z", "c.tar.gz"):
        (tmp_path / "ana" / name).write_bytes(CODE)
    files, notes = lay_open(tmp_path / "ana")
    assert not files
    assert notes.count("pack the files as .zip") == 3


def test_one_bad_submission_in_the_zip_of_a_class_is_noted_for_its_student_only(tmp_path, lay_open):
    bad = damaged(bytes_of_zip({"attention.py": CODE}, zipfile.ZIP_STORED))
    source = a_zip(
        tmp_path / "class.zip", {"ana.zip": bad, "bo.zip": bytes_of_zip({"attention.py": CODE}), "eve.py": CODE}
    )
    (ana, bo, eve), _ = find(source)
    assert "attention.py is damaged" in lay_open(*ana.parts, members=ana.members)[1]
    for path in everything(tmp_path / "into"):
        path.unlink()
    assert lay_open(*bo.parts, members=bo.members) == ({"attention.py": CODE}, "")
    for path in everything(tmp_path / "into"):
        path.unlink()
    assert lay_open(*eve.parts, members=eve.members) == ({"eve.py": CODE}, "")


def test_a_full_disk_is_not_the_students_fault(tmp_path):
    (tmp_path / "attention.py").write_bytes(CODE)
    (tmp_path / "into").write_text("a file where the folder should be")
    with pytest.raises(Problem, match="could not be written"):
        opened(Submission("Ana", "ana", (tmp_path / "attention.py",)), tmp_path / "into")


def test_a_part_that_has_gone_is_noted(tmp_path, lay_open):
    files, notes = lay_open(tmp_path / "gone.zip")
    assert not files
    assert "gone.zip could not be read" in notes


PIECES = [
    "..", ".", "/", "\\", "C:", "a", "attention.py", "\x01", "\n", "\u202e", "con", " ", "", "é", "e\u0301", "~",
    "$HOME", "-rf", "%2e%2e", "x" * 120, ".zip", "..\\..", "/etc/passwd", "．．", "\U0001f600", "‥", "⁄", "*?<>|",
    "nul.py",
]  # fmt: skip


def hostile_name(chance):
    return "".join(chance.choice([*PIECES, "/", "/"]) for _ in range(chance.randint(1, 8))) or "x"


@pytest.mark.parametrize("seed", range(40))
def test_no_zip_of_hostile_names_writes_elsewhere(tmp_path, lay_open, seed):
    chance = random.Random(seed)
    entries = []
    for number in range(30):
        kind = chance.choice([stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO])
        inner = [(hostile_name(chance), b"inner"), (f"{number}.py", CODE)]
        content = chance.choice([b"evil", b"../../evil", bytes_of_zip(inner)])
        entries.append(special(hostile_name(chance) + chance.choice(["", ".py", ".zip", "/"]), kind, content))
    files, _ = lay_open(a_zip(tmp_path / "ana.zip", entries))  # which looks where everything went
    for name in files:
        assert not name.startswith("/")
        assert ".." not in name.split("/")


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_to_a_zip_raises(tmp_path, lay_open, seed):
    chance = random.Random(seed)
    data = bytearray(bytes_of_zip({"a.py": CODE * 20, "b.zip": bytes_of_zip({"c.py": CODE}), "d/e.bin": b"1" * 99}))
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    (tmp_path / "ana.zip").write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
    lay_open(tmp_path / "ana.zip")


def test_names_stay_within_whatever_they_are_made_of():
    chance = random.Random(0)
    for _ in range(5000):
        raw = hostile_name(chance)
        try:
            name = inner_name(raw)
        except Refused:
            continue
        assert all(part.strip(" .") for part in name.split("/")), raw
        assert not name.startswith("/")
        assert ":" not in name[1:2]
        assert slug(raw).replace("-", "").isalnum()
