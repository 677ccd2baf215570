module dealguard.io/benchmarks/standin

go 1.24.0
