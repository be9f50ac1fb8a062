"""The desk's side: sends commands through an SMS platform's API and reads the answers.

It is a client of the platforms; the daemon never loads it, and it never loads their simulator.
"""
