// What bnnhw's cores use of a Nexus' cells, as plain Verilog for a simulator.
// Contents are texts, "0x96AA": four digits behind their prefix.

module LUT4(input A, B, C, D, output Z);
  parameter INIT = "0x0000";
  function [15:0] contents(input [47:0] text);
    integer i;
    reg [7:0] digit;
    for (i = 0; i < 4; i = i + 1) begin
      digit = text[8 * i +: 8];
      contents[4 * i +: 4] = digit >= "a" ? digit - "a" + 10
                           : digit >= "A" ? digit - "A" + 10 : digit - "0";
    end
  endfunction
  localparam [15:0] BITS = contents(INIT);
  wire [7:0] by_d = D ? BITS[15:8] : BITS[7:0];
  wire [3:0] by_c = C ? by_d[7:4] : by_d[3:0];
  wire [1:0] by_b = B ? by_c[3:2] : by_c[1:0];
  assign Z = A ? by_b[1] : by_b[0];
endmodule

// Two carry slots: the LUT's lower eight contents, at D = 0, make a new carry. INJECT other than
// "NO" is not modelled.
module CCU2(input CIN, A0, B0, C0, D0, A1, B1, C1, D1, output S0, S1, COUT);
  parameter INIT0 = "0x0000";
  parameter INIT1 = "0x0000";
  parameter INJECT = "NO";
  wire propagate_0, propagate_1, generate_0, generate_1;
  LUT4 #(.INIT(INIT0)) p0(.A(A0), .B(B0), .C(C0), .D(D0), .Z(propagate_0));
  LUT4 #(.INIT(INIT1)) p1(.A(A1), .B(B1), .C(C1), .D(D1), .Z(propagate_1));
  LUT4 #(.INIT(INIT0)) g0(.A(A0), .B(B0), .C(C0), .D(1'b0), .Z(generate_0));
  LUT4 #(.INIT(INIT1)) g1(.A(A1), .B(B1), .C(C1), .D(1'b0), .Z(generate_1));
  wire carry = propagate_0 ? CIN : generate_0;
  assign S0 = propagate_0 ^ CIN;
  assign S1 = propagate_1 ^ carry;
  assign COUT = propagate_1 ? carry : generate_1;
endmodule
