// Gowin's adder cell, and its block RAMs and multipliers, of which Yosys ships black boxes
// (simulation only).

// The shipped ALU computes the same in an `always @*`, which never runs where the inputs are
// constants: under Icarus its outputs stay X. The twin is proved equal to it in every ALU_MODE.
module ALU (
    output SUM, COUT,
    input I0, I1, I3, CIN
);
    parameter ALU_MODE = 0;
    wire s = ALU_MODE == 0 ? I0 ^ I1            // add
           : ALU_MODE == 2 ? I0 ^ I1 ^ !I3      // add where I3 is 1, else subtract
           : ALU_MODE == 6 ? I0                 // count up
           : ALU_MODE == 7 ? !I0                // count down
           : ALU_MODE == 8 ? I0 ^ !I3           // count up where I3 is 1, else down
           : ALU_MODE == 9 ? (I0 & I1) ^ I3     // multiply
           : !(I0 ^ I1);                        // 1 subtract, 3 differs, 4 I0 >= I1, 5 I0 <= I1
    wire c = ALU_MODE == 3 || ALU_MODE == 7 ? 1'b1
           : ALU_MODE == 5 ? I1
           : ALU_MODE == 6 ? 1'b0
           : ALU_MODE == 9 ? I0 & I1
           : I0;
    assign SUM = s ^ CIN;
    assign COUT = s ? CIN : c;
endmodule

// The RAM cells. Modes: any width; the output register (READ_MODE 1). `WRITE_MODE` 2 reads before
// it writes. Not modelled: reset (reads X), block selects other than 0. The cells without an X9 in
// their name have bytes of 8 bits and 32-bit words.
module SP (
    output [31:0] DO,
    input [31:0] DI,
    input [2:0] BLKSEL,
    input [13:0] AD,
    input WRE, CLK, CE, OCE, RESET
);
    parameter BIT_WIDTH = 0, READ_MODE = 0, WRITE_MODE = 0, BLK_SEL = 0;
    parameter RESET_MODE = "SYNC";
    parameter [255:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    localparam [16383:0] ROWS = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B,
        INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36,
        INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31,
        INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C,
        INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27,
        INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13,
        INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, INIT_RAM_0E,
        INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09,
        INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    bnnhw_gowin_ram #(
        .BITS(8), .ROWS(ROWS), .RD_A(BIT_WIDTH), .WR_A(BIT_WIDTH), .RD_B(0), .WR_B(0),
        .REG_A(READ_MODE), .FIRST_A(WRITE_MODE == 2)
    ) ram (
        .clk_a(CLK), .en_a(CE), .oce_a(OCE), .rst_a(RESET), .wre_a(WRE), .ad_a(AD), .d_a(DI),
        .q_a(DO), .clk_b(1'b0), .en_b(1'b0), .oce_b(1'b0), .rst_b(1'b0), .wre_b(1'b0),
        .ad_b(14'b0), .d_b(36'b0), .q_b()
    );
    generate if (BLK_SEL != 0) SP_mode_is_not_modelled refused (); endgenerate
endmodule

module SPX9 (
    output [35:0] DO,
    input [35:0] DI,
    input [2:0] BLKSEL,
    input [13:0] AD,
    input WRE, CLK, CE, OCE, RESET
);
    parameter BIT_WIDTH = 0, READ_MODE = 0, WRITE_MODE = 0, BLK_SEL = 0;
    parameter RESET_MODE = "SYNC";
    parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    localparam [18431:0] ROWS = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B,
        INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36,
        INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31,
        INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C,
        INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27,
        INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13,
        INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, INIT_RAM_0E,
        INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09,
        INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    bnnhw_gowin_ram #(
        .BITS(9), .ROWS(ROWS), .RD_A(BIT_WIDTH), .WR_A(BIT_WIDTH), .RD_B(0), .WR_B(0),
        .REG_A(READ_MODE), .FIRST_A(WRITE_MODE == 2)
    ) ram (
        .clk_a(CLK), .en_a(CE), .oce_a(OCE), .rst_a(RESET), .wre_a(WRE), .ad_a(AD), .d_a(DI),
        .q_a(DO), .clk_b(1'b0), .en_b(1'b0), .oce_b(1'b0), .rst_b(1'b0), .wre_b(1'b0),
        .ad_b(14'b0), .d_b(36'b0), .q_b()
    );
    generate if (BLK_SEL != 0) SPX9_mode_is_not_modelled refused (); endgenerate
endmodule

module SDPB (
    output [31:0] DO,
    input [31:0] DI,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB
);
    parameter BIT_WIDTH_0 = 0, BIT_WIDTH_1 = 0, READ_MODE = 0, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [255:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    localparam [16383:0] ROWS = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B,
        INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36,
        INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31,
        INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C,
        INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27,
        INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13,
        INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, INIT_RAM_0E,
        INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09,
        INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    bnnhw_gowin_ram #(
        .BITS(8), .ROWS(ROWS), .RD_A(0), .WR_A(BIT_WIDTH_0), .RD_B(BIT_WIDTH_1), .WR_B(0),
        .REG_B(READ_MODE)
    ) ram (
        .clk_a(CLKA), .en_a(CEA), .oce_a(1'b0), .rst_a(1'b0), .wre_a(1'b1), .ad_a(ADA), .d_a(DI),
        .q_a(), .clk_b(CLKB), .en_b(CEB), .oce_b(OCE), .rst_b(RESETB), .wre_b(1'b0),
        .ad_b(ADB), .d_b(36'b0), .q_b(DO)
    );
    generate
        if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) SDPB_mode_is_not_modelled refused ();
    endgenerate
endmodule

module SDPX9B (
    output [35:0] DO,
    input [35:0] DI,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB
);
    parameter BIT_WIDTH_0 = 0, BIT_WIDTH_1 = 0, READ_MODE = 0, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    localparam [18431:0] ROWS = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B,
        INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36,
        INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31,
        INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C,
        INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27,
        INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13,
        INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, INIT_RAM_0E,
        INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09,
        INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    bnnhw_gowin_ram #(
        .BITS(9), .ROWS(ROWS), .RD_A(0), .WR_A(BIT_WIDTH_0), .RD_B(BIT_WIDTH_1), .WR_B(0),
        .REG_B(READ_MODE)
    ) ram (
        .clk_a(CLKA), .en_a(CEA), .oce_a(1'b0), .rst_a(1'b0), .wre_a(1'b1), .ad_a(ADA), .d_a(DI),
        .q_a(), .clk_b(CLKB), .en_b(CEB), .oce_b(OCE), .rst_b(RESETB), .wre_b(1'b0),
        .ad_b(ADB), .d_b(36'b0), .q_b(DO)
    );
    generate
        if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) SDPX9B_mode_is_not_modelled refused ();
    endgenerate
endmodule

module DPB (
    output [15:0] DOA, DOB,
    input [15:0] DIA, DIB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input WREA, CLKA, CEA, OCEA, RESETA, WREB, CLKB, CEB, OCEB, RESETB
);
    parameter BIT_WIDTH_0 = 0, BIT_WIDTH_1 = 0, READ_MODE0 = 0, READ_MODE1 = 0;
    parameter WRITE_MODE0 = 0, WRITE_MODE1 = 0, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [255:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    localparam [16383:0] ROWS = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B,
        INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36,
        INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31,
        INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C,
        INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27,
        INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13,
        INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, INIT_RAM_0E,
        INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09,
        INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    bnnhw_gowin_ram #(
        .BITS(8), .ROWS(ROWS), .RD_A(BIT_WIDTH_0), .WR_A(BIT_WIDTH_0), .RD_B(BIT_WIDTH_1),
        .WR_B(BIT_WIDTH_1), .REG_A(READ_MODE0), .REG_B(READ_MODE1),
        .FIRST_A(WRITE_MODE0 == 2), .FIRST_B(WRITE_MODE1 == 2)
    ) ram (
        .clk_a(CLKA), .en_a(CEA), .oce_a(OCEA), .rst_a(RESETA), .wre_a(WREA), .ad_a(ADA),
        .d_a(DIA), .q_a(DOA), .clk_b(CLKB), .en_b(CEB), .oce_b(OCEB), .rst_b(RESETB),
        .wre_b(WREB), .ad_b(ADB), .d_b(DIB), .q_b(DOB)
    );
    generate
        if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) DPB_mode_is_not_modelled refused ();
    endgenerate
endmodule

module DPX9B (
    output [17:0] DOA, DOB,
    input [17:0] DIA, DIB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input WREA, CLKA, CEA, OCEA, RESETA, WREB, CLKB, CEB, OCEB, RESETB
);
    parameter BIT_WIDTH_0 = 0, BIT_WIDTH_1 = 0, READ_MODE0 = 0, READ_MODE1 = 0;
    parameter WRITE_MODE0 = 0, WRITE_MODE1 = 0, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    localparam [18431:0] ROWS = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B,
        INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36,
        INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31,
        INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C,
        INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27,
        INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13,
        INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, INIT_RAM_0E,
        INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09,
        INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    bnnhw_gowin_ram #(
        .BITS(9), .ROWS(ROWS), .RD_A(BIT_WIDTH_0), .WR_A(BIT_WIDTH_0), .RD_B(BIT_WIDTH_1),
        .WR_B(BIT_WIDTH_1), .REG_A(READ_MODE0), .REG_B(READ_MODE1),
        .FIRST_A(WRITE_MODE0 == 2), .FIRST_B(WRITE_MODE1 == 2)
    ) ram (
        .clk_a(CLKA), .en_a(CEA), .oce_a(OCEA), .rst_a(RESETA), .wre_a(WREA), .ad_a(ADA),
        .d_a(DIA), .q_a(DOA), .clk_b(CLKB), .en_b(CEB), .oce_b(OCEB), .rst_b(RESETB),
        .wre_b(WREB), .ad_b(ADB), .d_b(DIB), .q_b(DOB)
    );
    generate
        if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) DPX9B_mode_is_not_modelled refused ();
    endgenerate
endmodule

// What they have in common: bytes of 8 or 9 BITS, write enables in the lowest address bits.
module bnnhw_gowin_ram (
    input clk_a, en_a, oce_a, rst_a, wre_a,
    input [13:0] ad_a,
    input [35:0] d_a,
    output [35:0] q_a,
    input clk_b, en_b, oce_b, rst_b, wre_b,
    input [13:0] ad_b,
    input [35:0] d_b,
    output [35:0] q_b
);
    parameter BITS = 9;
    parameter [2048 * BITS - 1:0] ROWS = 0;
    parameter RD_A = 0, WR_A = 0, RD_B = 0, WR_B = 0, REG_A = 0, REG_B = 0;
    parameter FIRST_A = 0, FIRST_B = 0;
    wire [71:0] whole_a, whole_b;

    function [18431:0] bytes(input [2048 * BITS - 1:0] rows);
        integer k;
        for (k = 0; k < 2048; k = k + 1) bytes[9 * k +: 9] = rows[BITS * k +: BITS];
    endfunction

    // A width as it is with bytes of 9 bits.
    function integer wide(input integer width);
        wide = BITS == 8 && width >= 8 ? width / 8 * 9 : width;
    endfunction

    function [7:0] enables(input integer width, input wre, input [13:0] ad);
        enables = !wre ? 0 : wide(width) == 36 ? ad[3:0] : wide(width) == 18 ? ad[1:0] : 1;
    endfunction

    function [71:0] spread(input [35:0] data);
        spread = BITS == 9 ? data
            : {1'bx, data[31:24], 1'bx, data[23:16], 1'bx, data[15:8], 1'bx, data[7:0]};
    endfunction

    function [35:0] gathered(input [71:0] data);
        gathered = BITS == 9 ? data : {data[34:27], data[25:18], data[16:9], data[7:0]};
    endfunction

    assign q_a = gathered(whole_a);
    assign q_b = gathered(whole_b);
    bnnhw_block_ram #(
        .BYTES(2048), .INIT(bytes(ROWS)), .OLD(0),
        .RD_A(wide(RD_A)), .WR_A(wide(WR_A)), .RD_B(wide(RD_B)), .WR_B(wide(WR_B)),
        .REG_A(REG_A), .REG_B(REG_B), .FIRST_A(FIRST_A), .FIRST_B(FIRST_B)
    ) ram (
        .clk_a(clk_a), .en_a(en_a), .oce_a(oce_a), .rst_a(rst_a),
        .we_a(enables(WR_A, wre_a, ad_a)), .ad_a({2'b0, ad_a}), .d_a(spread(d_a)), .q_a(whole_a),
        .clk_b(clk_b), .en_b(en_b), .oce_b(oce_b), .rst_b(rst_b),
        .we_b(enables(WR_B, wre_b, ad_b)), .ad_b({2'b0, ad_b}), .d_b(spread(d_b)), .q_b(whole_b)
    );
endmodule

// The multipliers, without any of their registers: a parameter is refused.
module MULT9X9 (
    input [8:0] A, B,
    input [8:0] SIA, SIB,
    input ASEL, BSEL,
    input ASIGN, BSIGN, CE, CLK, RESET,
    output [17:0] DOUT
);
    wire [17:0] long_a = {{9{ASIGN & A[8]}}, A};
    wire [17:0] long_b = {{9{BSIGN & B[8]}}, B};
    assign DOUT = ASEL !== 0 || BSEL !== 0 ? 18'bx : long_a * long_b;
endmodule

module MULT18X18 (
    input [17:0] A, B,
    input [17:0] SIA, SIB,
    input ASEL, BSEL,
    input ASIGN, BSIGN, CE, CLK, RESET,
    output [35:0] DOUT
);
    wire [35:0] long_a = {{18{ASIGN & A[17]}}, A};
    wire [35:0] long_b = {{18{BSIGN & B[17]}}, B};
    assign DOUT = ASEL !== 0 || BSEL !== 0 ? 36'bx : long_a * long_b;
endmodule

module MULT36X36 (
    input [35:0] A, B,
    input ASIGN, BSIGN, CE, CLK, RESET,
    output [71:0] DOUT
);
    wire [71:0] long_a = {{36{ASIGN & A[35]}}, A};
    wire [71:0] long_b = {{36{BSIGN & B[35]}}, B};
    assign DOUT = long_a * long_b;
endmodule
