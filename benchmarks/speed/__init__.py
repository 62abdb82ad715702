"""How fast networks, the loop, whole calls and tables are, beside PyTorch and diffusers."""
