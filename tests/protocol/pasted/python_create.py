import anthropic

client = anthropic.Anthropic()
message = client.messages.create(
    model="m-1",
    max_tokens=8,
    messages=[{"role": "user", "content": 'it\'s a "test" & more'}],
)
print(message.content)
