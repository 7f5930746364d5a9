$ http POST https://shop.example/order_cancel \
    X-Shop:12 Authorization:'Bearer api-secret-token' \
    version:=1 note='it'"'"'s "here" é' total:=35 lines:='[]'
