// What bnnhw's cores use of an iCE40's cells, as plain Verilog for a simulator.

module SB_LUT4(input I0, I1, I2, I3, output O);
  parameter [15:0] LUT_INIT = 0;
  wire [7:0] by_i3 = I3 ? LUT_INIT[15:8] : LUT_INIT[7:0];
  wire [3:0] by_i2 = I2 ? by_i3[7:4] : by_i3[3:0];
  wire [1:0] by_i1 = I1 ? by_i2[3:2] : by_i2[1:0];
  assign O = I0 ? by_i1[1] : by_i1[0];
endmodule

module SB_CARRY(input I0, I1, CI, output CO);
  assign CO = (I0 & I1) | ((I0 | I1) & CI);
endmodule
