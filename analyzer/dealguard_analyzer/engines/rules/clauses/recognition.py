"""The clauses of a whole contract: patterns and the trained model together."""

from dealguard_analyzer.engines.rules.clauses import Clauses, english, find_clauses, german
from dealguard_analyzer.engines.rules.model import contracts, standard_terms
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_api.report import Language


def recognise(text: ContractText, language: Language | None) -> Clauses:
    """The clauses of a contract: patterns in its language (in both where it is neither), and the model in English.

    What a pattern matches is worth a check's look; which categories an English contract has, the model decides, with
    the patterns' hits as evidence beside the words.
    """
    catalogues = []
    if language != "de":
        catalogues.append(english.CATALOGUE)
    if language != "en":
        catalogues += [german.CATALOGUE, german.TOPIC_CATALOGUE]
    matched = find_clauses(text, catalogues)
    if language != "en":
        matched = _with_topics(text, matched)
    if language == "de":
        return matched
    hits = {name: [s.index for s in sentences] for name, sentences in matched.by_category.items()}
    scores = contracts.sentence_scores(text.sentences)
    ranked = contracts.rank(scores, hits)
    date_odds = tuple(scores[:, contracts.categories().index("Agreement Date")].tolist())
    by_category = dict(matched.by_category)
    for category, quoted in ranked.items():
        known = {*by_category.get(category, ()), *(text.sentences[index] for index in quoted)}
        by_category[category] = tuple(sorted(known, key=lambda sentence: sentence.index))
    # Of a text that is not known to be English, the model can say what is there, not what is absent.
    absent = {category: dict[int, float]() for category in contracts.categories()} if language == "en" else {}
    return Clauses(by_category, absent | ranked, date_odds)


def _with_topics(text: ContractText, matched: Clauses) -> Clauses:
    """The German topics that the model is sure of, beside those that a pattern matches."""
    sentences = [sentence for sentence in text.sentences if not sentence.is_heading]
    found: dict[str, set[Sentence]] = {name: set(known) for name, known in matched.by_category.items()}
    for sentence, topics in zip(
        sentences, standard_terms.sure_topics([(s.heading, s.lower) for s in sentences]), strict=True
    ):
        for topic in topics:
            found.setdefault(topic, set()).add(sentence)
    return Clauses({name: tuple(sorted(known, key=lambda s: s.index)) for name, known in found.items()})


def known_categories(language: Language | None) -> frozenset[str]:
    """What `recognise` looks for in a contract of that language."""
    found: set[str] = set()
    if language != "en":
        found.update(german.CATALOGUE, german.TOPIC_CATALOGUE)
    if language != "de":
        found.update(contracts.categories())
    return frozenset(found)
