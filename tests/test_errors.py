"""Errors as sentences for a terminal."""

from __future__ import annotations

from madnis_py.errors import LONGEST_SENTENCE, InputError


def test_a_sentence_shows_control_characters_and_line_ends_instead_of_sending_them() -> None:
    error = InputError('card.toml: expected a particle; got "e+\n\x1b[31mv\u2028\0"')
    assert error.sentence == 'card.toml: expected a particle; got "e+\\n\\x1b[31mv\\u2028\\x00"'


def test_a_sentence_about_endless_input_keeps_its_beginning_and_its_end() -> None:
    sentence = InputError(f'process.definition: got "{"(" * 10**6}"').sentence
    assert len(sentence) < LONGEST_SENTENCE + 10
    assert sentence.startswith("process.definition: got")
    assert sentence.endswith('("')


def test_letters_of_any_language_stay() -> None:
    assert InputError("Größe: 1 µb ≠ 2").sentence == "Größe: 1 µb ≠ 2"
