echo '{"version": 1, "note": "plain", "lines": []}' | http :8000/order_cancel
