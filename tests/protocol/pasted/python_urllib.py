import json
from urllib import request
req = request.Request("https://api.example.test/v1/messages", data=json.dumps({"model": "m-1", "max_tokens": 8,
    "messages": [{"role": "user", "content": "it's a \"test\" & more"}]}).encode(), headers={"anthropic-version": "2023-06-01"}, method="POST")
with request.urlopen(req) as response:
    print(response.read())
