[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
$token = $env:API_TOKEN
$headers = @{
    Authorization = "Bearer $token"
    'X-Shop'      = '12'
}
$headers.Add("X-Region", "eu")
$headers["X-Level"] = "3"
$payload = [ordered]@{
    version = 1
    note    = 'it''s "here" é'
    total   = 35
    lines   = @()
}
$request = @{
    Uri         = "https://shop.example/order_cancel"
    Method      = "Post"
    Headers     = $headers
    Body        = $payload | ConvertTo-Json -Depth 10 -Compress
    ContentType = "application/json"
    TimeoutSec  = 30
}
try {
    $answer = Invoke-RestMethod @request -SkipCertificateCheck
    $answer.events | Format-Table
} catch {
    Write-Error "it failed: $($_.Exception.Message)"
}
