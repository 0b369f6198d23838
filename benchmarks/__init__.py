"""Speed, size and memory, measured side by side in one run, printed as ratios (`make bench`); no test reads a timing."""
