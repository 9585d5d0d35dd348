$params = @{
 Uri = 'https://api.example.test/v1/messages'
 Method = 'POST'
 Headers = @{'anthropic-version'='2023-06-01'}
 Body = (@{model='m-1'; max_tokens=8; messages=@(@{role='user'; content='it''s a "test" & more'})} | ConvertTo-Json -Depth 5)
}
Invoke-RestMethod @params