import anthropic
response = anthropic.Anthropic().messages.with_raw_response.create(
    model="m-1", max_tokens=8, messages=[dict(role="user", content='it\'s a "test" & more')]
)
