# What plain R needs for one call of a handler, without a runtime: sources BENCH_FILE, calls, ends.
source(paste0(Sys.getenv("BENCH_FILE"), ".R"))
invisible(handler(41))
