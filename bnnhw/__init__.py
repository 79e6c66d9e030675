"""bnnhw: binarized neural networks from data to hardware, with open tools, bit for bit."""

__version__ = "0.1.0"
