"""The comparison of FPGA, CPU and GPU: its rows, its table, its chart."""
