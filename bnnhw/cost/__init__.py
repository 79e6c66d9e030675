"""What a network costs on a device that we do not have: rooflines, and the sources they rest on."""
