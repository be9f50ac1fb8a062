"""Text into requests and back: pure values and rules (docs/payloads.md)."""
