$user = 'ann'
$basic = [Convert]::ToBase64String([Text.Encoding]::ASCII.GetBytes("${user}:sesame-open"))
curl -Uri "https://shop.example/order_cancel" -Method POST -Headers @{ Authorization = "Basic " + $basic } -ContentType "application/json" -Body "{""version"": 1, ""note"": ""plain"", ""lines"": []}"
