import os, json, requests
url = "https://api.example.test/v1/messages"
payload = json.dumps({
  "model": "m-1",
  "max_tokens": 8,
  "messages": [{"role": "user", "content": "it's a \"test\" & more"}]
})
headers = {
  'anthropic-version': '2023-06-01',
  'x-api-key': os.environ['KEY'],
  'Content-Type': 'application/json'
}
response = requests.request("POST", url, headers=headers, data=payload)
print(response.text)
