# lambdr's runtime.R, as its README has it: sources the functions, then starts. _HANDLER names the function.
source(paste0(Sys.getenv("BENCH_FILE"), ".R"))

lambdr::start_lambda()
