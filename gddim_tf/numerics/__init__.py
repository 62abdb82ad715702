"""Mathematics without a diffusion: matrices, quadrature, ODEs, the DCT, noise image by image."""
