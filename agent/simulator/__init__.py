"""The SMS platforms, simulated: their HTTP APIs, a message centre, SIMs in simulated modems.

Never loaded by the daemon, and without a fact from the agent's own table of platforms: a mistake
that both shared would pass every test.
"""
