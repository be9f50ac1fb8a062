"""The fuzzer's corpus, with what it once found, is replayed without a fuzzer."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.sms_target import one_input

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"


def test_no_input_of_the_corpus_escapes() -> None:
    inputs = sorted(CORPUS.iterdir())
    assert len(inputs) > 100
    for path in inputs:
        data = path.read_bytes()
        for choice in range(256):
            one_input(bytes((choice,)) + data[1:])
        for end in range(len(data)):
            one_input(data[:end])
