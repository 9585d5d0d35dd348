$body = @'
{"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "it's a \"test\" & more"}]}
'@
$headers = @{}
$headers.Add('anthropic-version', '2023-06-01')
irm 'https://api.example.test/v1/messages' -Method POST -Body $body -Headers $headers