"""Lists, reads, deletes and sends messages; PDU and text mode end here."""
