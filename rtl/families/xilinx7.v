// What bnnhw's cores use of a 7-series' cells, as plain Verilog for a simulator.

module LUT1(input I0, output O);
  parameter [1:0] INIT = 2'h0;
  assign O = INIT[I0];
endmodule

module LUT2(input I0, I1, output O);
  parameter [3:0] INIT = 4'h0;
  wire [1:0] address = {I1, I0};
  assign O = INIT[address];
endmodule

module LUT3(input I0, I1, I2, output O);
  parameter [7:0] INIT = 8'h00;
  wire [2:0] address = {I2, I1, I0};
  assign O = INIT[address];
endmodule

module LUT4(input I0, I1, I2, I3, output O);
  parameter [15:0] INIT = 16'h0000;
  wire [3:0] address = {I3, I2, I1, I0};
  assign O = INIT[address];
endmodule

module LUT5(input I0, I1, I2, I3, I4, output O);
  parameter [31:0] INIT = 32'h00000000;
  wire [4:0] address = {I4, I3, I2, I1, I0};
  assign O = INIT[address];
endmodule

module LUT6(input I0, I1, I2, I3, I4, I5, output O);
  parameter [63:0] INIT = 64'h0000000000000000;
  wire [5:0] address = {I5, I4, I3, I2, I1, I0};
  assign O = INIT[address];
endmodule

// O5 does not see I5: it is the lower half of the contents.
module LUT6_2(input I0, I1, I2, I3, I4, I5, output O6, O5);
  parameter [63:0] INIT = 64'h0000000000000000;
  wire [5:0] address = {I5, I4, I3, I2, I1, I0};
  wire [5:0] lower = {1'b0, I4, I3, I2, I1, I0};
  assign O6 = INIT[address];
  assign O5 = INIT[lower];
endmodule

module MUXF7(input I0, I1, S, output O);
  assign O = S ? I1 : I0;
endmodule

module MUXF8(input I0, I1, S, output O);
  assign O = S ? I1 : I0;
endmodule

module CARRY4(input CI, CYINIT, input [3:0] DI, S, output [3:0] O, CO);
  wire carry = CI | CYINIT;
  assign O = S ^ {CO[2:0], carry};
  assign CO[0] = S[0] ? carry : DI[0];
  assign CO[1] = S[1] ? CO[0] : DI[1];
  assign CO[2] = S[2] ? CO[1] : DI[2];
  assign CO[3] = S[3] ? CO[2] : DI[3];
endmodule
