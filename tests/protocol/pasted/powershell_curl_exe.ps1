curl.exe https://api.example.test/v1/messages `
  -H 'anthropic-version: 2023-06-01' `
  -d '{"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "it''s a \"test\" & more"}]}'