"""The GSM 7-bit alphabets and their neighbours (TS 23.038)."""
