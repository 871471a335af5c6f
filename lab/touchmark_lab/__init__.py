"""The lab: real parts, real attackers, one table of what came of it."""
