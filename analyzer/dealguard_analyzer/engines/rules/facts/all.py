"""All facts of a contract, gathered."""

from dataclasses import dataclass

from dealguard_analyzer.engines.rules.clauses import Clauses
from dealguard_analyzer.engines.rules.facts import agreement_date, key_dates, law, parties, prices, terms, titles
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_api.report import Fact, Money, Party, Period, Renewal, Venue


@dataclass(frozen=True)
class Facts:
    """What the contract says about itself; None or empty where the rules found nothing."""

    contract_type: Fact[str] | None
    parties: tuple[Party, ...]
    agreement_date: Fact[str] | None
    effective_date: Fact[str] | None
    expiration_date: Fact[str] | None
    initial_term: Fact[Period] | None
    renewal: Fact[Renewal] | None
    notice_period: Fact[Period] | None
    prices: tuple[Fact[Money], ...]
    price_adjustment: Fact[str] | None
    governing_law: Fact[str] | None
    governing_law_sentences: tuple[Sentence, ...]
    venue: Fact[Venue] | None


def find_facts(text: ContractText, clauses: Clauses) -> Facts:
    """Everything the rules can tell about the contract as a whole."""
    agreed = agreement_date.find_agreement_date(text, clauses.date_odds)
    law_sentences = law.governing_law_sentences(text)
    return Facts(
        contract_type=titles.find_title(text),
        parties=tuple(parties.find_parties(text)),
        agreement_date=agreed,
        effective_date=key_dates.find_effective_date(text, agreed),
        expiration_date=key_dates.find_expiration_date(text),
        initial_term=terms.find_initial_term(text),
        renewal=terms.find_renewal(text, clauses.of("Renewal Term")),
        notice_period=terms.find_notice_period(
            text, clauses.of("Notice Period To Terminate Renewal") + clauses.of("Termination For Convenience")
        ),
        prices=tuple(prices.find_prices(text)),
        price_adjustment=prices.find_price_adjustment(text),
        governing_law=law.find_governing_law(text, clauses.ranked("Governing Law")),
        governing_law_sentences=law_sentences,
        venue=law.find_venue(text),
    )
