curl https://shop.example/order_cancel -H 'Content-Type: application/json' -d '{
  "version": 1,
  "note": "plain",
  "lines": []
}'
