# cancel an order
$body = @'
{
  "version": 1,
  "note": "it's \"here\" é",
  "total": 35,
  "lines": []
}
'@

Invoke-RestMethod -Uri 'https://shop.example/order_cancel' -Method Post -ContentType 'application/json' -Body $body
