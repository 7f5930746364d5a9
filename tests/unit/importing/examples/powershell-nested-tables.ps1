$payload = @{
  version = 1
  data = @{ order = @{ id = "4897"; lines = @(@{ sku = "A"; quantity = 1.50 }, @{ sku = "B"; quantity = $null }); rush = $true } }
}
irm https://shop.example/order_cancel -Method Post -Body (ConvertTo-Json $payload) -ContentType application/json
