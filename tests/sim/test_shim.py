"""The shim notices a core that breaks the rules of its streams, and says when."""

import shutil
from pathlib import Path

import pytest
from sim_bench import make, need

from bnnhw.sim import simulate

# Around the true core: `V`, `D` and `L` are what its m_axis says, `R` is the bench's ready.
WRAPPER = """
module bnnhw_core(
    input aclk, input aresetn, output frame_error,
    input [{iw}:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
    output [{ow}:0] m_axis_tdata, output m_axis_tvalid, input m_axis_tready, output m_axis_tlast
);
    wire V, L, E, S, R;
    wire [{ow}:0] D;
    reg [15:0] count = 0;
    always @(posedge aclk) count <= aresetn ? count + 1 : 0;
    assign m_axis_tvalid = {valid};
    assign m_axis_tdata = {data};
    assign m_axis_tlast = {last};
    assign s_axis_tready = {ready};
    assign frame_error = {error};
    assign R = m_axis_tready;
    inner_core inner (
        .aclk(aclk), .aresetn(aresetn), .frame_error(E),
        .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(S),
        .s_axis_tlast(s_axis_tlast),
        .m_axis_tdata(D), .m_axis_tvalid(V), .m_axis_tready({taken}), .m_axis_tlast(L)
    );
endmodule
"""
HONEST = {"valid": "V", "data": "D", "last": "L", "ready": "S", "error": "E", "taken": "R"}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("icarus")
    folder = tmp_path_factory.mktemp("shim") / "b"
    return make(folder, (6, 4, 3), (2, 1, 3), (3, 1, 4), output="scores")


def wrapped(core: Path, folder: Path, **lies: str) -> Path:
    """The tiny core inside one that is honest but for the lies told."""
    shutil.copytree(core, folder)
    verilog, manifest = folder / "bnnhw_core.v", folder / "manifest.json"
    text = verilog.read_text().replace("module bnnhw_core(", "module inner_core(")
    verilog.write_text(text + WRAPPER.format(iw=7, ow=31, **HONEST | lies))
    manifest.write_text(manifest.read_text().replace('"layer_', '"inner.layer_'))
    return folder


def test_an_honest_wrapper_passes(core: Path, tmp_path: Path) -> None:
    result = simulate(
        wrapped(core, tmp_path / "b"),
        simulator="icarus",
        vectors=20,
        stall_out=0.5,
        check_files=False,
    )
    assert result.failure == ""


@pytest.mark.parametrize(
    ("lies", "message"),
    [
        ({"ready": "count > 40 ? 1'bx : S"}, "s_axis_tready, m_axis_tvalid or a tap's valid is X"),
        ({"valid": "V && !count[2]", "taken": "R && !count[2]"}, "m_axis withdrew its beat"),
        ({"data": "R ? D : D ^ count[1]"}, "m_axis withdrew its beat, or changed it"),
        ({"last": "V"}, "m_axis_tlast is wrong"),
        ({"last": "L && !V"}, "m_axis_tlast is wrong"),
        ({"valid": "V || count > 0"}, "m_axis gave a beat for which no whole image had gone in"),
        ({"error": "count > 50"}, "frame_error rose, but every frame was whole"),
        ({"valid": "V && 0"}, "nothing moved for so long that the core must be stuck"),
    ],
)
def test_a_core_that_breaks_the_rules_is_told_off(
    core: Path, tmp_path: Path, lies: dict[str, str], message: str
) -> None:
    result = simulate(
        wrapped(core, tmp_path / "b", **lies),
        simulator="icarus",
        vectors=20,
        stall_out=0.5,
        check_files=False,
    )
    assert message in result.failure
    assert "(cycle " in result.failure
    assert result.waves is not None


def test_an_undefined_result_is_a_mismatch_that_got_x(core: Path, tmp_path: Path) -> None:
    build = wrapped(core, tmp_path / "b", data="{D[31:1], count > 90 ? 1'bx : D[0]}")
    result = simulate(build, simulator="icarus", vectors=20, check_files=False)
    assert result.mismatch is not None
    assert (result.mismatch.layer, result.mismatch.got) == ("m_axis", "X")


def test_a_beat_after_the_last_result_is_noticed(core: Path, tmp_path: Path) -> None:
    # 4 images of 3 beats; the core repeats its last beat once all are out.
    counted = "    reg [7:0] given = 0; always @(posedge aclk) if (V && R) given <= given + 1;"
    build = wrapped(core, tmp_path / "b", valid="V || given == 12")
    verilog = build / "bnnhw_core.v"
    text = verilog.read_text()
    place = text.rindex("    reg [15:0] count")
    verilog.write_text(text[:place] + counted + "\n" + text[place:])
    result = simulate(build, simulator="icarus", vectors=4, check_files=False)
    assert "gave a beat for which no whole image" in result.failure
