# Windows: hands its options on to run_all.py.
#   ./run_all.ps1
#   ./run_all.ps1 -ForceAuth -Start 2025-09-01T00:00:00Z -End 2025-10-01T00:00:00Z
#   ./run_all.ps1 test
param(
    [Parameter(Position = 0)] [string] $What,
    [switch] $ForceAuth,
    [string] $Start,
    [string] $End
)
$arguments = @(Join-Path $PSScriptRoot "run_all.py")
if ($What) { $arguments += $What }
if ($ForceAuth) { $arguments += "--force-auth" }
if ($Start) { $arguments += @("--start", $Start) }
if ($End) { $arguments += @("--end", $End) }
if (Get-Command py -ErrorAction SilentlyContinue) { & py -3 @arguments } else { & python @arguments }
exit $LASTEXITCODE
