// What bnnhw's cores use of a Gowin's cells, as plain Verilog for a simulator.

module LUT1(input I0, output F);
  parameter [1:0] INIT = 0;
  assign F = INIT[I0];
endmodule

module LUT2(input I0, I1, output F);
  parameter [3:0] INIT = 0;
  wire [1:0] address = {I1, I0};
  assign F = INIT[address];
endmodule

module LUT3(input I0, I1, I2, output F);
  parameter [7:0] INIT = 0;
  wire [2:0] address = {I2, I1, I0};
  assign F = INIT[address];
endmodule

module LUT4(input I0, I1, I2, I3, output F);
  parameter [15:0] INIT = 0;
  wire [3:0] address = {I3, I2, I1, I0};
  assign F = INIT[address];
endmodule

module MUX2_LUT5(input I0, I1, S0, output O);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT6(input I0, I1, S0, output O);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT7(input I0, I1, S0, output O);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT8(input I0, I1, S0, output O);
  assign O = S0 ? I1 : I0;
endmodule

// A carry slot. Modes 0 (I0 + I1), 1 (I0 - I1) and 2 (I0 + I1 where I3, else I0 - I1): those that
// bnnhw and Yosys place.
module ALU(input I0, I1, I3, CIN, output SUM, COUT);
  parameter ALU_MODE = 0;
  wire plain = ALU_MODE == 0 || (ALU_MODE == 2 && I3);
  wire propagate = I0 ^ I1 ^ !plain;
  assign SUM = propagate ^ CIN;
  assign COUT = propagate ? CIN : I0;
endmodule
