"""Faults on purpose: kills, full disks, damaged files; each must end in the bits of a run without one."""
