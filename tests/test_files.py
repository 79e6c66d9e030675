"""Files and folders that are whole or not there: interrupts, full disks, other people's folders."""

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import random_network

from bnnhw import cli, files
from bnnhw.errors import InputError
from bnnhw.files import new_folder, sha256_of, write_bytes, write_text

MARKER = "manifest.json"


def tree(folder: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "file", b"new")
    assert tree(tmp_path) == {"a": b"", "a/b": b"", "a/b/file": b"new"}


def test_a_file_is_replaced(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", b"old, and longer")
    write_bytes(tmp_path / "file", b"new")
    assert tree(tmp_path) == {"file": b"new"}


def test_text_is_utf8_with_line_feeds(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "é\n")
    assert (tmp_path / "file").read_bytes() == b"\xc3\xa9\n"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_files_mode_is_what_the_umask_leaves(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "file", b"")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, RuntimeError])
@pytest.mark.parametrize("when", ["opened", "write", "replace"])
def test_whatever_goes_wrong_leaves_the_old_file_alone(
    when: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes(tmp_path / "file", b"old")

    def fail(*arguments: object) -> None:
        raise error

    if when == "replace":
        monkeypatch.setattr(Path, when, fail)
    else:
        real = Path.open

        def half_open(path: Path, mode: str) -> object:
            file = real(path, mode, buffering=0)
            if when == "opened":
                file.close()
                raise error

            class Half:
                def __enter__(self) -> "Half":
                    return self

                def __exit__(self, *arguments: object) -> None:
                    file.close()

                def write(self, content: bytes) -> None:
                    file.write(content[:1])
                    raise error

            return Half()

        monkeypatch.setattr(Path, "open", half_open)
    with pytest.raises(error):
        write_bytes(tmp_path / "file", b"new")
    monkeypatch.undo()
    assert tree(tmp_path) == {"file": b"old"}


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system with little room, or a limit on files' size where we may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "bnnhw-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), hard))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_the_old_file_and_names_the_new_one(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "65536") as disk:
        write_bytes(disk / "file", b"old")
        with pytest.raises(OSError) as raised:
            write_bytes(disk / "file", bytes(1 << 20))
        assert raised.value.errno in (errno.ENOSPC, errno.EFBIG)
        assert raised.value.filename == str(disk / "file")
        assert tree(disk) == {"file": b"old"}


def test_a_full_disk_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random_network((64, 8, 4)).save(tmp_path / "net.safetensors")
    with small_disk(tmp_path / "disk", "4096") as disk:
        if os.path.ismount(disk):
            (disk / "ballast").write_bytes(bytes(4096))
        else:
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
            )
        command = ["inspect", str(tmp_path / "net.safetensors"), "--write-folding"]
        code = cli.main([*command, str(disk / "f.toml")])
        left = [path.name for path in disk.iterdir() if path.name != "ballast"]
    out, err = capsys.readouterr()
    assert code == 1
    assert out == ""
    assert err.startswith(f"bnnhw: {disk / 'f.toml'}: ")
    assert err.count("\n") == 1
    assert left == []


def test_a_real_interrupt_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    """A process that rewrites a large file for ever, interrupted at no special moment."""
    path = tmp_path / "file"
    program = (
        "import sys\nfrom bnnhw.files import write_bytes\n"
        "print('ready', flush=True)\n"
        "n = 0\n"
        "while True:\n"
        "    n = (n + 1) % 256\n"
        "    write_bytes(sys.argv[1], bytes([n]) * 4_000_000)\n"
    )
    for pause in (0.05, 0.11, 0.17):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        process.stdout.close()
        assert [p.name for p in tmp_path.iterdir()] in ([], ["file"])
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 4_000_000
            assert content == content[:1] * len(content)


def test_a_new_folder_appears_when_its_block_ends(tmp_path: Path) -> None:
    with new_folder(tmp_path / "a" / "build", marker=MARKER) as fresh:
        (fresh / MARKER).write_text("{}")
        assert not (tmp_path / "a" / "build").exists()
    assert tree(tmp_path) == {"a": b"", "a/build": b"", f"a/build/{MARKER}": b"{}"}


@pytest.mark.parametrize("before", ["empty", "ours"])
def test_an_empty_folder_and_one_of_ours_are_replaced(before: str, tmp_path: Path) -> None:
    path = tmp_path / "build"
    path.mkdir()
    if before == "ours":
        (path / MARKER).write_text("old")
        (path / "stale").write_text("old")
    with new_folder(path, marker=MARKER) as fresh:
        (fresh / MARKER).write_text("new")
    assert tree(tmp_path) == {"build": b"", f"build/{MARKER}": b"new"}


def test_anothers_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(InputError) as raised, new_folder(tmp_path, marker=MARKER):
        raise AssertionError("the block ran")
    assert str(raised.value) == (
        f"{tmp_path} is not empty and holds no {MARKER}, so it is not ours to replace; "
        "name another folder"
    )
    assert tree(tmp_path) == {"letter": b"dear"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("dear")
    message = f"^{tmp_path / 'build'} is a file; a folder is written there$"
    with pytest.raises(InputError, match=message), new_folder(tmp_path / "build", marker=MARKER):
        raise AssertionError("the block ran")
    assert tree(tmp_path) == {"build": b"dear"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("there", [False, True])
def test_a_block_that_fails_leaves_the_folder_as_it_was(
    there: bool, error: type[BaseException], tmp_path: Path
) -> None:
    if there:
        (tmp_path / "build").mkdir()
        (tmp_path / "build" / MARKER).write_text("old")
    before = tree(tmp_path)
    with pytest.raises(error), new_folder(tmp_path / "build", marker=MARKER) as fresh:
        (fresh / MARKER).write_text("half")
        raise error
    assert tree(tmp_path) == before


@pytest.mark.parametrize("failing", [1, 2])
def test_an_interrupt_between_the_two_renames_brings_the_old_folder_back(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / MARKER).write_text("old")
    before = tree(tmp_path)
    real, calls = Path.rename, []

    def rename(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == failing:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with (
        pytest.raises(KeyboardInterrupt),
        new_folder(tmp_path / "build", marker=MARKER) as fresh,
    ):
        (fresh / MARKER).write_text("new")
    assert tree(tmp_path) == before


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_remove_takes_files_folders_links_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    files.remove(tmp_path / "link")
    assert (tmp_path / "folder" / "below").is_dir()
    for name in ("folder", "file", "nothing"):
        files.remove(tmp_path / name)
    assert tree(tmp_path) == {}
