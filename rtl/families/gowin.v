// What bnnhw's cores use of a Gowin's cells, as plain Verilog for a simulator.

module LUT1(input I0, output F);
  parameter [1:0] INIT = 0;
  assign F = I0 ? INIT[1] : INIT[0];
endmodule

module LUT2(input I0, I1, output F);
  parameter [3:0] INIT = 0;
  wire [1:0] by_i1 = I1 ? INIT[3:2] : INIT[1:0];
  assign F = I0 ? by_i1[1] : by_i1[0];
endmodule

module LUT3(input I0, I1, I2, output F);
  parameter [7:0] INIT = 0;
  wire [3:0] by_i2 = I2 ? INIT[7:4] : INIT[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign F = I0 ? by_i1[1] : by_i1[0];
endmodule

module LUT4(input I0, I1, I2, I3, output F);
  parameter [15:0] INIT = 0;
  wire [7:0] by_i3 = I3 ? INIT[15:8] : INIT[7:0];
  wire [3:0] by_i2 = I2 ? by_i3[7:4] : by_i3[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign F = I0 ? by_i1[1] : by_i1[0];
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
