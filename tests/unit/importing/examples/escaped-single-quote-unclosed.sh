curl https://shop.example/order_cancel \
  --json '{"version": 1, "note": "it\'s here", "lines": []}'
