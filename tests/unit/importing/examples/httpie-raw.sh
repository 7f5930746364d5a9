https --ignore-stdin -v --verify=no -a ann:sesame-open shop.example/order_cancel --raw '{"version": 1, "note": "plain", "lines": []}'
