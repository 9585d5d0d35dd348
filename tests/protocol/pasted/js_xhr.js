const xhr = new XMLHttpRequest();
xhr.open("POST", "https://api.example.test/v1/messages");
xhr.setRequestHeader("anthropic-version", "2023-06-01");
xhr.send(JSON.stringify({ model: "m-1", max_tokens: 8, messages: [{ role: "user", content: `it's a "test" & more` }] }));
