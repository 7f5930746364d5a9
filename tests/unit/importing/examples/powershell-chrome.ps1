$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
$session.Cookies.Add((New-Object System.Net.Cookie("sid", "cookie-secret", "/", "shop.example")))
Invoke-WebRequest -UseBasicParsing -Uri "https://shop.example/order_cancel" `
-Method "POST" `
-WebSession $session `
-Headers @{
"method"="POST"
  "path"="/order_cancel"
  "accept"="*/*"
} `
-ContentType "application/json" `
-Body ([System.Text.Encoding]::UTF8.GetBytes("{`"version`":1,`"note`":`"it's \`"here\`" $([char]233)`",`"total`":35,`"lines`":[]}"))
