import httpx
with httpx.Client(base_url="https://api.example.test", headers={"anthropic-version": "2023-06-01"}) as client:
    with client.stream("POST", "/v1/messages", json=dict(model="m-1", max_tokens=8, messages=[{"role": "user", "content": "it's a \"test\" & more"}])) as r:
        for line in r.iter_lines():
            print(line)
