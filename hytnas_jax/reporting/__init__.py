"""The parts of the report: what it reads, how it draws, what it says."""
