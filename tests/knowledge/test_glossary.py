"""The words of Cilium in one line each."""

from __future__ import annotations

from playbooks.knowledge.glossary import terms, terms_in


def names(text: str) -> list[str]:
    return [term.name for term in terms_in(text)]


def test_every_term_is_one_sentence_with_its_own_spellings() -> None:
    spellings = [word.lower() for term in terms() for word in (term.name, *term.also)]
    assert len(terms()) >= 40
    assert len(spellings) == len(set(spellings))
    for term in terms():
        assert term.meaning.endswith(".")
        assert len(term.meaning) <= 130
        assert term.meaning.isprintable()


def test_terms_are_found_in_what_can_be_read() -> None:
    assert names("Is the operator there, and does it lead?") == ["operator"]
    assert names("a policy map is full") == ["policy map"]
    assert names("kube-proxy-replacement: true") == ["kube-proxy replacement"]
    assert names("cooperators and mapsets") == []
