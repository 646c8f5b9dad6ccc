"""Many members in one compiled program: see README.md."""
