"""What the gateware costs and how fast it is, kept as records, so that a change shows."""
