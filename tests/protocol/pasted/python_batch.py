client.messages.batches.create(requests=[Request(custom_id="a", params=MessageCreateParamsNonStreaming(model="m-1", max_tokens=8, messages=[{"role": "user", "content": 'it\'s a "test" & more'}]))])
