Invoke-RestMethod `
  -Uri https://shop.example/order_cancel `

  -Method Post `

  -ContentType application/json `

  -Body '{"version": 1, "note": "plain", "lines": []}'
