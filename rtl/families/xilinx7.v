// What bnnhw's cores use of a 7-series' cells, as plain Verilog for a simulator.

module LUT1(input I0, output O);
  parameter [1:0] INIT = 2'h0;
  assign O = I0 ? INIT[1] : INIT[0];
endmodule

module LUT2(input I0, I1, output O);
  parameter [3:0] INIT = 4'h0;
  wire [1:0] by_i1 = I1 ? INIT[3:2] : INIT[1:0];
  assign O = I0 ? by_i1[1] : by_i1[0];
endmodule

module LUT3(input I0, I1, I2, output O);
  parameter [7:0] INIT = 8'h00;
  wire [3:0] by_i2 = I2 ? INIT[7:4] : INIT[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign O = I0 ? by_i1[1] : by_i1[0];
endmodule

module LUT4(input I0, I1, I2, I3, output O);
  parameter [15:0] INIT = 16'h0000;
  wire [7:0] by_i3 = I3 ? INIT[15:8] : INIT[7:0];
  wire [3:0] by_i2 = I2 ? by_i3[7:4] : by_i3[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign O = I0 ? by_i1[1] : by_i1[0];
endmodule

module LUT5(input I0, I1, I2, I3, I4, output O);
  parameter [31:0] INIT = 32'h00000000;
  wire [15:0] by_i4 = I4 ? INIT[31:16] : INIT[15:0];
  wire [7:0] by_i3 = I3 ? by_i4[15:8] : by_i4[7:0];
  wire [3:0] by_i2 = I2 ? by_i3[7:4] : by_i3[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign O = I0 ? by_i1[1] : by_i1[0];
endmodule

module LUT6(input I0, I1, I2, I3, I4, I5, output O);
  parameter [63:0] INIT = 64'h0000000000000000;
  wire [31:0] by_i5 = I5 ? INIT[63:32] : INIT[31:0];
  wire [15:0] by_i4 = I4 ? by_i5[31:16] : by_i5[15:0];
  wire [7:0] by_i3 = I3 ? by_i4[15:8] : by_i4[7:0];
  wire [3:0] by_i2 = I2 ? by_i3[7:4] : by_i3[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign O = I0 ? by_i1[1] : by_i1[0];
endmodule

// O5 does not see I5: it is the lower half of the contents.
module LUT6_2(input I0, I1, I2, I3, I4, I5, output O6, O5);
  parameter [63:0] INIT = 64'h0000000000000000;
  LUT6 #(.INIT(INIT)) all(.I0(I0), .I1(I1), .I2(I2), .I3(I3), .I4(I4), .I5(I5), .O(O6));
  LUT5 #(.INIT(INIT[31:0])) lower(.I0(I0), .I1(I1), .I2(I2), .I3(I3), .I4(I4), .O(O5));
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
