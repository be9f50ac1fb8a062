"""Keeps the modem ready: the link, its recovery, what is remembered of it."""
