import pytest

from vitkeras.plots import look


@pytest.fixture
def figures(monkeypatch, tmp_path):
    """The figures that a test saves. Names without a folder go to `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    kept = []
    save = look.save
    monkeypatch.setattr(look, "save", lambda figure, path: (kept.append(figure), save(figure, path)))
    return kept
