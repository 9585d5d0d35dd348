import requests
s = requests.Session()
s.headers.update({"anthropic-version": "2023-06-01"})
BASE = "https://api.example.test"
r = s.post(f"{BASE}/v1/messages", json={"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "it's a \"test\" & more"}]})
