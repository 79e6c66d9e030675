// What bnnhw's cores use of an ECP5's cells, as plain Verilog for a simulator.

module LUT4(input A, B, C, D, output Z);
  parameter [15:0] INIT = 16'h0000;
  wire [3:0] address = {D, C, B, A};
  assign Z = INIT[address];
endmodule

module PFUMX(input ALUT, BLUT, C0, output Z);
  assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21(input D0, D1, SD, output Z);
  assign Z = SD ? D1 : D0;
endmodule

// Two carry slots: the LUT's lowest four contents, at C = D = 0, make a new carry. INJECT1_x other
// than "NO" is not modelled.
module CCU2C(input CIN, A0, B0, C0, D0, A1, B1, C1, D1, output S0, S1, COUT);
  parameter [15:0] INIT0 = 16'h0000;
  parameter [15:0] INIT1 = 16'h0000;
  parameter INJECT1_0 = "NO";
  parameter INJECT1_1 = "NO";
  wire [3:0] address_0 = {D0, C0, B0, A0};
  wire [3:0] address_1 = {D1, C1, B1, A1};
  wire propagate_0 = INIT0[address_0];
  wire propagate_1 = INIT1[address_1];
  wire generate_0 = INIT0[address_0[1:0]];
  wire generate_1 = INIT1[address_1[1:0]];
  wire carry = propagate_0 ? CIN : generate_0;
  assign S0 = propagate_0 ^ CIN;
  assign S1 = propagate_1 ^ carry;
  assign COUT = propagate_1 ? carry : generate_1;
endmodule
