"""What the contract says about itself: type, parties, dates, periods, prices, law, venue.

What belongs here: one file for each kind of fact, each a pure function from text to values with citations. What never
does: judging a fact, that is `checks`.

Facts are matched against `ContractText.flat`, whose offsets are those of the running text.
"""
