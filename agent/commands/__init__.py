"""Runs what was accepted: when it is due, once, and with what outcome."""
