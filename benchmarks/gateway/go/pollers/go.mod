module dealguard.io/benchmarks/pollers

go 1.24.0
