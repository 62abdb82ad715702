"""What recorded the golden files from published code, for developers only."""
