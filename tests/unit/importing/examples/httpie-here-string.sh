http POST localhost:8000/order_cancel 'Content-Type: application/vnd.shop+json' <<< '{"version": 1, "note": "plain", "lines": []}'
