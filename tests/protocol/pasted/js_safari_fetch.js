fetch('https://api.example.test/v1/messages', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "it\'s a \\"test\\" & more"}]}'
})
