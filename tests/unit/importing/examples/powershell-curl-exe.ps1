PS C:\> curl.exe -X POST https://shop.example/order_cancel `
  -H "Content-Type: application/json" `
  -H 'X-Shop: 12' `
  -d '{\"version\": 1, \"note\": \"plain\", \"lines\": []}'
