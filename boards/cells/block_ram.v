// A block RAM of two ports, of which the families' RAM cells are made (simulation only).
//
// It holds BYTES bytes of 9 bits. A port's address counts slots: 8 in each byte, the ninth bit goes
// with the eighth. A port reads words of RD bits and writes words of WR bits: 1, 2, 4, 9, 18, 36 or
// 72; 0 where it does not. `we` has a bit for each byte of the word. What hardware leaves open, or
// what the cells here are not used for, reads as X: bytes that the other port writes at the same
// edge (unless OLD), the word that the port itself writes (unless FIRST), a word read under reset.
module bnnhw_block_ram (
    input clk_a, en_a, oce_a, rst_a,
    input [7:0] we_a,
    input [15:0] ad_a,
    input [71:0] d_a,
    output [71:0] q_a,
    input clk_b, en_b, oce_b, rst_b,
    input [7:0] we_b,
    input [15:0] ad_b,
    input [71:0] d_b,
    output [71:0] q_b
);
    parameter BYTES = 2048;
    parameter [9 * BYTES - 1:0] INIT = 0;
    parameter RD_A = 18, WR_A = 18, RD_B = 18, WR_B = 18;
    parameter REG_A = 0, REG_B = 0;      // with the output register, which `oce` enables
    parameter FIRST_A = 0, FIRST_B = 0;  // the port reads before it writes
    parameter OLD = 0;                   // it reads what was there before the other port writes

    reg [8:0] mem [0:BYTES - 1];
    reg [71:0] read_a, read_b, late_a, late_b;
    integer i;
    initial for (i = 0; i < BYTES; i = i + 1) mem[i] = INIT[9 * i +: 9];

    assign q_a = REG_A ? late_a : read_a;
    assign q_b = REG_B ? late_b : read_b;

    function integer slots(input integer width);
        slots = width < 9 ? width : width / 9 * 8;
    endfunction

    function integer first(input integer width, input [15:0] ad);
        first = ad - ad % slots(width);
    endfunction

    // X where a word that is read has bytes, or bits, that are written; else 0.
    function [71:0] clash(input integer rd, input [15:0] from, input integer wr,
                          input [15:0] to, input [7:0] we);
        integer k, g;
        begin
            clash = 0;
            if (rd < 9 || wr < 9) begin
                if (we != 0 && first(rd, from) < first(wr, to) + slots(wr)
                            && first(wr, to) < first(rd, from) + slots(rd)) clash = 72'bx;
            end else
                for (k = 0; k < 8; k = k + 1)
                    for (g = 0; g < 8; g = g + 1)
                        if (9 * k < rd && 9 * g < wr && we[g]
                            && first(rd, from) / 8 + k == first(wr, to) / 8 + g)
                            clash[9 * k +: 9] = 9'bx;
        end
    endfunction

    function [71:0] word(input integer width, input [15:0] ad);
        integer k;
        begin
            word = 72'bx;
            for (k = 0; k < 8; k = k + 1) begin
                if (9 * k < width && width >= 9)
                    word[9 * k +: 9] = mem[first(width, ad) / 8 + k];
                if (k < width && width < 9)
                    word[k] = mem[ad / 8][first(width, ad) % 8 + k];
            end
        end
    endfunction

    generate
        if (RD_A != 0) always @(posedge clk_a) begin
            if (oce_a) late_a <= read_a;
            if (rst_a !== 0) read_a <= 72'bx;
            else if (en_a) begin
                read_a <= word(RD_A, ad_a);
                if (WR_B != 0 && en_b && !OLD)
                    read_a <= word(RD_A, ad_a) ^ clash(RD_A, ad_a, WR_B, ad_b, we_b);
                if (WR_A != 0 && we_a != 0 && !FIRST_A) read_a <= 72'bx;
            end
        end
        if (RD_B != 0) always @(posedge clk_b) begin
            if (oce_b) late_b <= read_b;
            if (rst_b !== 0) read_b <= 72'bx;
            else if (en_b) begin
                read_b <= word(RD_B, ad_b);
                if (WR_A != 0 && en_a && !OLD)
                    read_b <= word(RD_B, ad_b) ^ clash(RD_B, ad_b, WR_A, ad_a, we_a);
                if (WR_B != 0 && we_b != 0 && !FIRST_B) read_b <= 72'bx;
            end
        end
    endgenerate

    genvar g;
    generate for (g = 0; g < 8; g = g + 1) begin: bytes
        if (WR_A >= 9 && 9 * g < WR_A) always @(posedge clk_a)
            if (en_a && we_a[g]) mem[first(WR_A, ad_a) / 8 + g] <= d_a[9 * g +: 9];
        if (WR_B >= 9 && 9 * g < WR_B) always @(posedge clk_b)
            if (en_b && we_b[g]) mem[first(WR_B, ad_b) / 8 + g] <= d_b[9 * g +: 9];
        if (WR_A < 9 && g < WR_A) always @(posedge clk_a)
            if (en_a && we_a[0]) mem[ad_a / 8][first(WR_A, ad_a) % 8 + g] <= d_a[g];
        if (WR_B < 9 && g < WR_B) always @(posedge clk_b)
            if (en_b && we_b[0]) mem[ad_b / 8][first(WR_B, ad_b) % 8 + g] <= d_b[g];
    end endgenerate
endmodule
