"""The documentation: pages written by hand, and `generate`, which writes the pages that follow from the code."""
