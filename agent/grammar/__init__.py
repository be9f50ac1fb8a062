"""The payload grammars: text in either form to one request and back (docs/payloads.md)."""
