"""The control socket: whatever the command line does through a running agent, a script can."""
