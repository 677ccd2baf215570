"""The `claude` engine: Anthropic's Messages API through its SDK.

What belongs here: the prompt (`prompt`), the shape of the answer (`answer`), one call with retries and its cost
(`call`, `failures`, `prices`), and the report made of the answer (`assembly`). What never does: the SDK's import
outside `call` and `failures` (it costs a second and 84 MB), the key or the contract in a log or a message.
"""
