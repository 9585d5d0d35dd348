import http.client, json
conn = http.client.HTTPSConnection("api.example.test")
body = {"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "it's a \"test\" & more"}]}
conn.request("POST", "/v1/messages", body=json.dumps(body).encode("utf-8"), headers={"anthropic-version": "2023-06-01"})
