"""The doctor names what printing lacks: letters for slips, and a bucket for label files that answers."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import SecretStr

from connector.doctor import machine
from connector.settings import Settings


def test_folders_without_fonts_are_told_with_the_cure(tmp_path: Path) -> None:
    (found,) = machine.fonts(Settings(data_dir=tmp_path, fonts=str(tmp_path)))
    assert found.state == "look"
    assert found.why is not None
    assert str(tmp_path) in found.why.say()
    assert found.cure


def test_label_files_in_a_folder_need_no_line_of_their_own(tmp_path: Path) -> None:
    assert machine.label_files(Settings(data_dir=tmp_path)) == []


def test_a_bucket_that_does_not_answer_is_told_without_its_secret(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = SecretStr(f"s3://KEY:HIDDEN@127.0.0.1:{port}/labels?tls=no")
    (found,) = machine.label_files(Settings(data_dir=tmp_path, files=place))
    assert found.state == "broken"
    assert found.why is not None
    said = found.why.say() + found.cure
    assert "labels" in said
    assert "HIDDEN" not in said
