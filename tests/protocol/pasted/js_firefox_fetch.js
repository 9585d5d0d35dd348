await fetch("https://api.example.test/v1/messages", {
    "credentials": "omit",
    "headers": {
        "User-Agent": "Mozilla/5.0",
        "Accept": "*/*",
        "anthropic-version": "2023-06-01"
    },
    "referrer": "https://app.example/",
    "body": "{\"model\": \"m-1\", \"max_tokens\": 8, \"messages\": [{\"role\": \"user\", \"content\": \"it's a \\\"test\\\" & more\"}]}",
    "method": "POST",
    "mode": "cors"
});
