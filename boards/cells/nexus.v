// Nexus's block RAM with one clock: Yosys ships a black box (simulation only).
//
// Modes: any `DATA_WIDTH_W`, `DATA_WIDTH_R`; a word read while it is written is the old one.
// Not modelled: reset (reads X), the output register, ECC.
module PDPSC16K (
    input [35:0] DI,
    input [13:0] ADW, ADR,
    input CLK, CER, CEW,
    input [2:0] CSW, CSR,
    input RST,
    output [35:0] DO,
    output ONEBITERR, TWOBITERR
);
    parameter DATA_WIDTH_W = "X36", DATA_WIDTH_R = "X36";
    parameter OUTREG = "BYPASSED", RESETMODE = "SYNC", ASYNC_RST_RELEASE = "SYNC";
    parameter GSR = "ENABLED", ECC = "DISABLED", CSDECODE_W = "000", CSDECODE_R = "000";
    parameter INIT_DATA = "STATIC";
    // "0x" and 80 hexadecimal digits each.
    localparam [655:0] ZERO = {"0x", {80{"0"}}};
    parameter [655:0] INITVAL_00 = ZERO, INITVAL_01 = ZERO, INITVAL_02 = ZERO, INITVAL_03 =
        ZERO, INITVAL_04 = ZERO, INITVAL_05 = ZERO, INITVAL_06 = ZERO, INITVAL_07 = ZERO,
        INITVAL_08 = ZERO, INITVAL_09 = ZERO, INITVAL_0A = ZERO, INITVAL_0B = ZERO, INITVAL_0C =
        ZERO, INITVAL_0D = ZERO, INITVAL_0E = ZERO, INITVAL_0F = ZERO, INITVAL_10 = ZERO,
        INITVAL_11 = ZERO, INITVAL_12 = ZERO, INITVAL_13 = ZERO, INITVAL_14 = ZERO, INITVAL_15 =
        ZERO, INITVAL_16 = ZERO, INITVAL_17 = ZERO, INITVAL_18 = ZERO, INITVAL_19 = ZERO,
        INITVAL_1A = ZERO, INITVAL_1B = ZERO, INITVAL_1C = ZERO, INITVAL_1D = ZERO, INITVAL_1E =
        ZERO, INITVAL_1F = ZERO, INITVAL_20 = ZERO, INITVAL_21 = ZERO, INITVAL_22 = ZERO,
        INITVAL_23 = ZERO, INITVAL_24 = ZERO, INITVAL_25 = ZERO, INITVAL_26 = ZERO, INITVAL_27 =
        ZERO, INITVAL_28 = ZERO, INITVAL_29 = ZERO, INITVAL_2A = ZERO, INITVAL_2B = ZERO,
        INITVAL_2C = ZERO, INITVAL_2D = ZERO, INITVAL_2E = ZERO, INITVAL_2F = ZERO, INITVAL_30 =
        ZERO, INITVAL_31 = ZERO, INITVAL_32 = ZERO, INITVAL_33 = ZERO, INITVAL_34 = ZERO,
        INITVAL_35 = ZERO, INITVAL_36 = ZERO, INITVAL_37 = ZERO, INITVAL_38 = ZERO, INITVAL_39 =
        ZERO, INITVAL_3A = ZERO, INITVAL_3B = ZERO, INITVAL_3C = ZERO, INITVAL_3D = ZERO,
        INITVAL_3E = ZERO, INITVAL_3F = ZERO;
    localparam [41983:0] ROWS = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A,
        INITVAL_39, INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34,
        INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E,
        INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22,
        INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C,
        INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
        INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A,
        INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04,
        INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};

    function integer width(input [23:0] named);  // X1 to X36
        width = (named[15:8] == "X" ? 0 : 10 * (named[15:8] - "0")) + named[7:0] - "0";
    endfunction

    function [3:0] digit(input [7:0] c);
        digit = c <= "9" ? c - "0" : c <= "F" ? c - "A" + 10 : c - "a" + 10;
    endfunction

    function [18431:0] bytes(input [41983:0] rows);  // 9 of each 10 bits are used
        integer row, k;
        reg [319:0] bits;
        for (row = 0; row < 64; row = row + 1) begin
            for (k = 0; k < 80; k = k + 1) bits[4 * k +: 4] = digit(rows[656 * row + 8 * k +: 8]);
            for (k = 0; k < 32; k = k + 1) bytes[288 * row + 9 * k +: 9] = bits[10 * k +: 9];
        end
    endfunction

    localparam W = width(DATA_WIDTH_W), R = width(DATA_WIDTH_R);
    // From 18 bits on, the lowest address bits enable the bytes for writing.
    wire [7:0] we = W == 36 ? ADW[3:0] : W == 18 ? ADW[1:0] : 8'd1;
    wire [71:0] q;
    assign DO = q[35:0];
    assign ONEBITERR = 1'b0;
    assign TWOBITERR = 1'b0;

    bnnhw_block_ram #(
        .BYTES(2048), .INIT(bytes(ROWS)), .OLD(1), .RD_A(0), .WR_A(W), .RD_B(R), .WR_B(0)
    ) ram (
        .clk_a(CLK), .en_a(CEW), .oce_a(1'b0), .rst_a(1'b0), .we_a(we),
        .ad_a({2'b0, ADW}), .d_a({36'b0, DI}), .q_a(),
        .clk_b(CLK), .en_b(CER), .oce_b(1'b0), .rst_b(RST), .we_b(8'd0),
        .ad_b({2'b0, ADR}), .d_b(72'b0), .q_b(q)
    );

    generate
        if (OUTREG != "BYPASSED" || ECC != "DISABLED" || CSDECODE_W != "111"
            || CSDECODE_R != "111")
            PDPSC16K_mode_is_not_modelled refused ();
    endgenerate
endmodule
