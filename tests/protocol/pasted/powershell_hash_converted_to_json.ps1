$headers = @{
  "x-api-key" = $env:ANTHROPIC_API_KEY  # the key
  "anthropic-version" = "2023-06-01"
}
$body = @{
  model = 'm-1'
  max_tokens = 8
  messages = @(
    @{ role = 'user'; content = 'it''s a "test" & more' }
  )
} | ConvertTo-Json -Depth 10

$r = Invoke-RestMethod -Uri 'https://api.example.test/v1/messages' -Method Post -Headers $headers -Body $body -ContentType 'application/json'
$r.content