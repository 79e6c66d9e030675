"""The network on an NVIDIA GPU: kernels in CUDA C++, compiled at first use; torch holds memory."""
