"""The `claude` engine: Anthropic's Messages API through its SDK. What is sent and what it costs: docs/claude.md.

    planning      the contract as one request, or as overlapping `windows`: by token count
    call          one question after the other, retried (`failures`), metered (`stream`), paid from the `account`
    checkpoint    what is answered is not asked again by the run's next attempt
    assembly      answers → report: every quote located, windows merged (`merging`)

What belongs here: the above, the prompt (`prompt`, `meanings`, `question`), the answer's shape (`answer`), prices
(`prices.json`, `prices`). What never does: the SDK's import outside `call`, `failures` and `stream` (it costs a second
and 84 MB; who imports this package's `engine` has chosen it), the key or the contract in a log or a message.
"""
