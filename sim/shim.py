"""The Verilog around the core in a simulation: drives it, stalls it, watches it, checks it.

It is there so that Python wakes once an image instead of once a cycle. It is Verilog-2005, since
the core's Verilog runs under Icarus only with -g2005 (amaranth issue 1629).
"""

__all__ = ["CONTROL", "VIOLATIONS", "shim_text", "violation_text"]

from ..layers import Conv
from ..queues import Queue
from .core import Core
from .packet import STAMP_BITS, Packet

DEPTH = 256  # images in flight; the driver waits where a core holds more

VIOLATIONS = {
    1: "s_axis_tready, m_axis_tvalid or a tap's valid is X",
    2: "m_axis withdrew its beat, or changed it, before it was taken",
    3: "m_axis_tlast is wrong",
    4: "m_axis gave a beat for which no whole image had gone in",
    5: "frame_error rose, but every frame was whole",
    6: "nothing moved for so long that the core must be stuck",
}
LATE, SURPLUS = 64, 128  # plus a layer's index

# Verilator must keep these, and only these, within Python's reach: `--public-flat-rw` for all
# signals makes six times the C++ of a large core, which then hardly compiles.
PYTHON = (
    "aclk",
    "aresetn",
    "seed_in",
    "seed_out",
    "stall_in",
    "stall_out",
    "burst_in",
    "burst_out",
    "idle_limit",
    "dump_from",
    "image",
    "image_put",
    "image_got",
    "packet",
    "wake",
    "results",
    "violation",
    "violation_cycle",
    "cycle",
    "most",
)

CONTROL = "`verilator_config\n" + "".join(
    f'public_flat_rw -module "shim" -var "{name}"\n' for name in PYTHON
)


def violation_text(core: Core, code: int) -> str:
    """What a violation code of the shim means."""
    if code >= SURPLUS:
        return (
            f"layer {core.layers[code - SURPLUS].name} gave a word for which no image had gone in"
        )
    if code >= LATE:
        return f"layer {core.layers[code - LATE].name} had not given all its words for a result"
    return VIOLATIONS[code]


def shim_text(core: Core) -> str:
    """The shim for a core.

    Python sets `image` and toggles `image_put`; the shim takes it and answers with `image_got`.
    When the last beat of a result has come, or something is wrong, `wake` toggles; `results` counts
    the results, `packet` holds the latest (see `Packet`), `violation` the first thing wrong.
    """
    packet = Packet(core)
    IW, IB = core.input_width, core.input_beats
    OW, OB = core.output_width, core.output_beats
    stores = "".join(f", store_{i}[done[7:0]]" for i in reversed(range(len(core.tapped))))
    taps = "".join(_tap(core, i) for i in range(len(core.tapped)))
    # Of a map that is read in part only, words may come after the result: before the next one.
    when = "result" if core.network.is_dense else "result && pending"
    # Its first positions may leave before the last lines come.
    gone_in = "given" if isinstance(core.network.layers[-1], Conv) else "taken"
    late = "".join(
        f"            if ({when} && count_{i} == done) code = {LATE + i};\n"
        f"            if (dut.{layer.tap_valid} && count_{i} == given) code = {SURPLUS + i};\n"
        for i, layer in enumerate(core.tapped)
    )
    whole = "".join(f" && count_{i} != done" for i in range(len(core.tapped)))
    levels = "".join(
        f"            if ({_level(queue)} > $signed(most[{32 * i} +: 32]))\n"
        f"                most[{32 * i} +: 32] <= {_level(queue)};\n"
        for i, queue in enumerate(core.watched)
    )
    unknown = " ^ ".join(
        ["s_tready", "m_tvalid", *(f"dut.{layer.tap_valid}" for layer in core.tapped)]
    )
    moving = " || ".join(
        ["s_tvalid && s_tready", "m_tvalid && m_tready"]
        + [f"dut.{layer.tap_valid}" for layer in core.tapped]
    )
    return f"""\
// Bench of {core.top}: made by bnnhw.sim.shim, used in simulation only.
module shim (
    input aclk,
    input aresetn,
    // Stalls: a seed, not 0; chance a cycle in 1/65536, or bursts of about 32 cycles.
    input [31:0] seed_in,
    input [31:0] seed_out,
    input [16:0] stall_in,
    input [16:0] stall_out,
    input burst_in,
    input burst_out,
    input [31:0] idle_limit,
    input [{STAMP_BITS - 1}:0] dump_from,
    input [{IB * IW - 1}:0] image,
    input image_put,
    output reg image_got,
    output reg [{packet.bits - 1}:0] packet,
    output reg wake,
    output reg [31:0] results,
    output reg [7:0] violation,
    output reg [{STAMP_BITS - 1}:0] violation_cycle,
    output reg [31:0] given,
    output reg [{max(1, len(core.watched)) * 32 - 1}:0] most // of each queue, the most it held
);
    reg [{STAMP_BITS - 1}:0] cycle;
    reg [31:0] idle;

    function [31:0] xorshift(input [31:0] x);
        reg [31:0] y;
        begin
            y = x ^ (x << 13);
            y = y ^ (y >> 17);
            xorshift = y ^ (y << 5);
        end
    endfunction

    // ---- the core -------------------------------------------------------------------------------
    reg [{IW - 1}:0] s_tdata;
    reg s_tvalid, s_tlast, s_first;
    wire s_tready;
    wire [{OW - 1}:0] m_tdata;
    wire m_tvalid, m_tlast, frame_error;
    reg m_tready;
    {core.top} dut (
        .aclk(aclk), .aresetn(aresetn), .frame_error(frame_error),
        .s_axis_tdata(s_tdata), .s_axis_tvalid(s_tvalid),
        .s_axis_tready(s_tready), .s_axis_tlast(s_tlast),
        .m_axis_tdata(m_tdata), .m_axis_tvalid(m_tvalid),
        .m_axis_tready(m_tready), .m_axis_tlast(m_tlast)
    );

    // ---- driver: what it offers stays until it is taken -----------------------------------------
    reg [{IB * IW - 1}:0] held;
    reg [31:0] next_beat;      // to offer
    reg [31:0] offered, taken; // images: first beat offered, last beat taken
    reg [31:0] random_in;
    reg bursting_in;
    reg [{STAMP_BITS - 1}:0] first_cycle [0:{DEPTH - 1}];
    wire stalled_in = burst_in ? bursting_in : ({{1'b0, random_in[15:0]}} < stall_in);
    wire room = (offered - done) < {DEPTH};
    always @(posedge aclk) begin
        random_in <= xorshift(random_in);
        if (random_in[20:16] == 0) bursting_in <= !bursting_in;
        if (!aresetn) begin
            random_in <= seed_in;
            bursting_in <= 0;
            s_tvalid <= 0;
            s_tdata <= 0;
            s_tlast <= 0;
            s_first <= 0;
            next_beat <= 0;
            offered <= 0;
            taken <= 0;
            given <= 0;
            image_got <= image_put;
        end else begin
            if (s_tvalid && s_tready) begin
                if (s_first) begin
                    first_cycle[given[7:0]] <= cycle;
                    given <= given + 1;
                end
                if (s_tlast) taken <= taken + 1;
            end
            if (!s_tvalid || s_tready) begin
                s_tvalid <= 0;
                // A core must not look at the data of no beat: make it noise.
                s_tdata <= {{{-(-IW // 32)}{{random_in}}}};
                s_tlast <= random_in[7];
                if (!stalled_in && next_beat != 0) begin
                    s_tvalid <= 1;
                    s_first <= 0;
                    s_tdata <= held[next_beat * {IW} +: {IW}];
                    s_tlast <= next_beat == {IB - 1};
                    next_beat <= next_beat == {IB - 1} ? 0 : next_beat + 1;
                end else if (!stalled_in && room && image_put != image_got) begin
                    s_tvalid <= 1;
                    s_first <= 1;
                    s_tdata <= image[{IW - 1}:0];
                    s_tlast <= {IB} == 1;
                    next_beat <= {IB} == 1 ? 0 : 1;
                    held <= image;
                    image_got <= image_put;
                    offered <= offered + 1;
                end
            end
        end
    end

    // ---- receiver -------------------------------------------------------------------------------
    reg [{OW * OB - 1}:0] beats;
    reg [31:0] beat, done; // done: results received
    reg [31:0] random_out;
    reg bursting_out;
    reg result;            // the last beat of one came an edge ago
    reg [{STAMP_BITS - 1}:0] last_cycle;
    wire stalled_out = burst_out ? bursting_out : ({{1'b0, random_out[15:0]}} < stall_out);
    always @(posedge aclk) begin
        random_out <= xorshift(random_out);
        if (random_out[20:16] == 0) bursting_out <= !bursting_out;
        m_tready <= !stalled_out;
        result <= 0;
        if (!aresetn) begin
            random_out <= seed_out;
            bursting_out <= 0;
            m_tready <= 0;
            beat <= 0;
        end else if (m_tvalid && m_tready) begin
            beats[beat * {OW} +: {OW}] <= m_tdata;
            last_cycle <= cycle;
            result <= beat == {OB - 1};
            beat <= beat == {OB - 1} ? 0 : beat + 1;
        end
    end

    // ---- the layers' words ----------------------------------------------------------------------
    // Layers are ahead of the results, each by other images: so there is a store of many images.
{taps}
    // ---- results, and what must never happen ----------------------------------------------------
    reg was_waiting, was_tlast, pending;
    wire whole = (result || pending){whole};
    reg [{OW - 1}:0] was_tdata;
    reg [7:0] code;
    always @(posedge aclk) begin
        code = 0;
        if (!aresetn) begin
            cycle <= 0;
            idle <= 0;
            done <= 0;
            results <= 0;
            violation <= 0;
            violation_cycle <= 0;
            was_waiting <= 0;
            pending <= 0;
            wake <= 0;
            most <= 0;
        end else begin
            cycle <= cycle + 1;
{levels}            idle <= ({moving}) ? 0 : idle + 1;
            was_waiting <= m_tvalid && !m_tready;
            was_tdata <= m_tdata;
            was_tlast <= m_tlast;
            if (m_tvalid && m_tlast !== (beat == {OB - 1})) code = 3;
            if (was_waiting && (!m_tvalid || m_tdata !== was_tdata || m_tlast !== was_tlast))
                code = 2;
            if (m_tvalid && done + (result || pending) == {gone_in}) code = 4;
            if (frame_error !== 0) code = 5;
            if (idle > idle_limit) code = 6;
{late}            if (({unknown}) === 1'bx) code = 1;
            if (violation == 0 && code != 0) begin
                violation <= code;
                violation_cycle <= cycle;
            end
            pending <= (result || pending) && !whole;
            if (whole) begin
                packet <= {{last_cycle, first_cycle[done[7:0]], beats{stores}}};
                done <= done + 1;
                results <= results + 1;
            end
            wake <= wake ^ (whole || (violation == 0 && code != 0));
        end
    end
`ifdef WAVES
    always @(posedge aclk) if (aresetn && cycle == dump_from) begin
        $dumpfile("waves.vcd");
        $dumpvars(0, shim);
    end
`endif
endmodule
"""


def _level(queue: Queue) -> str:
    """How much it holds, signed."""
    if queue.base is None:
        return f"$signed({{1'b0, dut.{queue.level}}})"
    return f"({queue.base} {'-' if queue.down else '+'} $signed(dut.{queue.level}))"


def _tap(core: Core, index: int) -> str:
    """The part that stores the words of one layer."""
    layer = core.tapped[index]
    word, last = layer.values * layer.width, layer.words_an_image - 1
    place = f"store_{index}[count_{index}[7:0]][fold_{index} * {word} +: {word}]"
    return f"""\
    reg [{layer.bits - 1}:0] store_{index} [0:{DEPTH - 1}];
    reg [31:0] count_{index}, fold_{index};
    always @(posedge aclk) begin
        if (!aresetn) begin
            count_{index} <= 0;
            fold_{index} <= 0;
        end else if (dut.{layer.tap_valid}) begin
            {place} <= dut.{layer.tap_data};
            fold_{index} <= fold_{index} == {last} ? 0 : fold_{index} + 1;
            if (fold_{index} == {last}) count_{index} <= count_{index} + 1;
        end
    end
"""
