// What bnnhw's cores use of an iCE40's cells, as plain Verilog for a simulator.

module SB_LUT4(input I0, I1, I2, I3, output O);
  parameter [15:0] LUT_INIT = 0;
  wire [3:0] address = {I3, I2, I1, I0};
  assign O = LUT_INIT[address];
endmodule

module SB_CARRY(input I0, I1, CI, output CO);
  assign CO = (I0 & I1) | ((I0 | I1) & CI);
endmodule
