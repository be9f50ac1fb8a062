"""The demonstration: the real agent between a simulated modem and an embedded broker."""
