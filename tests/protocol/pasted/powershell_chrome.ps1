$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.UserAgent = "Mozilla/5.0"
Invoke-WebRequest -UseBasicParsing -Uri "https://api.example.test/v1/messages" `
-Method "POST" `
-WebSession $session `
-Headers @{
"accept"="*/*"
  "anthropic-version"="2023-06-01"
  "sec-ch-ua"="`"Chromium`";v=`"140`""
} `
-ContentType "application/json" `
-Body "{`"model`": `"m-1`", `"max_tokens`": 8, `"messages`": [{`"role`": `"user`", `"content`": `"it's a \`"test\`" & more`"}]}"