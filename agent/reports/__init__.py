"""Which outcome is told where, in which words, until it got through."""
