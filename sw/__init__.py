"""The same network in software: bits in numpy, float32 in torch, and the clock that times them."""
