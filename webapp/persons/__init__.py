"""What a Chinese name and ID number look like. Pure: standard library, no I/O, `today` is an argument."""
