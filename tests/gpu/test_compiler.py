"""The kernels compile for every GPU that could run them, and what is kept of that is looked at."""

import sys
from pathlib import Path

import pytest

from bnnhw.errors import ToolError
from bnnhw.sw.cuda import compiler
from bnnhw.sw.cuda.compiler import ARCHITECTURES, KERNELS, Architecture, cubin

ELF = b"\x7fELF"
PLAIN_HOPPER = Architecture(name="sm_90", stages=4, product="mma")
SM_80 = ARCHITECTURES[8, 0]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BNNHW_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    "target", [*ARCHITECTURES.values(), PLAIN_HOPPER], ids=lambda target: target.name
)
def test_all_kernels_compile(target: Architecture) -> None:
    for file, kernels in KERNELS.items():
        wanted = [name for name in kernels if "wgmma" not in name or target.product == "wgmma"]
        if wanted:
            code = cubin(file, target)
            assert code.startswith(ELF)
            for name in wanted:
                assert f".text.{name}\0".encode() in code


def test_it_is_done_once_and_a_damaged_file_is_made_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = cubin("2_xnor.cu", SM_80)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(compiler, "_compiled", None)
        assert cubin("2_xnor.cu", SM_80) == first
    for damage in (b"", whole[:-1], b"\0" * len(whole), whole + b"\0"):
        kept.write_bytes(damage)
        assert cubin("2_xnor.cu", SM_80) == first
        assert kept.read_bytes() == whole
        assert capsys.readouterr().err == f"{kept} is damaged and is made again\n"
    assert cubin("2_xnor.cu", PLAIN_HOPPER) != first
    assert len(list(cache.iterdir())) == 2


def test_another_source_is_another_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = compiler._sources()
    cubin("2_xnor.cu", SM_80)
    changed = sources | {"2_xnor.cu": sources["2_xnor.cu"] + "\n"}
    monkeypatch.setattr(compiler, "_sources", lambda: changed)
    cubin("2_xnor.cu", SM_80)
    assert len(list(cache.iterdir())) == 2


def test_without_a_place_to_keep_it_it_works_and_says_so(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.write_text("a file")
    assert cubin("2_xnor.cu", SM_80).startswith(ELF)
    assert "the compiled kernel is not kept: " in capsys.readouterr().err


def test_what_does_not_compile_and_no_compiler_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = compiler._sources() | {"2_xnor.cu": "this is no C++"}
    with monkeypatch.context() as patch:
        patch.setattr(compiler, "_sources", lambda: sources)
        with pytest.raises(ToolError, match=r"NVRTC does not compile 2_xnor.cu .*error"):
            cubin("2_xnor.cu", SM_80)
    monkeypatch.setitem(sys.modules, "cuda.bindings.nvrtc", None)
    with pytest.raises(ToolError, match=r"NVRTC, .* pip install 'bnnhw\[cuda\]'"):
        cubin("2_xnor.cu", SM_80)
