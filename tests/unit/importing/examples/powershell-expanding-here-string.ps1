$note = "plain"
$body = @"
{
  "version": 1,
  "note": "$note",
  "shop": "$env:SHOP",
  "path": "C:``temp",
  "cost": "`$5 $(1) ${note}"
}
"@
$response = Invoke-WebRequest -UseBasicParsing -Method POST -Body $body -ContentType "application/json; charset=utf-8" https://shop.example/order_cancel
$response.Content | ConvertFrom-Json
