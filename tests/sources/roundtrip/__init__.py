"""Random shops written as each export would write them, and read back; and exports that somebody spoilt."""
