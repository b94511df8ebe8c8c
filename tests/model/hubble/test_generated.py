from __future__ import annotations

from pathlib import Path

from tests.model.hubble.generated import ROOT, generate


def test_the_generated_code_is_what_the_proto_files_say(tmp_path: Path) -> None:
    made = generate(tmp_path)
    assert made
    for path in made:
        assert (ROOT / path).read_text() == (tmp_path / path).read_text(), f"{path}: run make proto"
