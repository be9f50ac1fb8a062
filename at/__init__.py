"""Drives a cellular modem over its AT port (3GPP TS 27.007, 27.005); knows nothing of the agent."""
