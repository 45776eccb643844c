# A loop as in the first runtime for R on Lambda: httr, and the handler's file sourced once more after every call.
# Left out is what it did besides: errors, its own file sourced once more too, and a package for the log.
library(httr)
library(jsonlite)

api <- paste0("http://", Sys.getenv("AWS_LAMBDA_RUNTIME_API"), "/2018-06-01/runtime/invocation/")
handler_parts <- strsplit(Sys.getenv("_HANDLER"), ".", fixed = TRUE)[[1]]

repeat {
    source(paste0(handler_parts[1], ".R"))
    event <- GET(paste0(api, "next"))
    id <- event$headers$`Lambda-Runtime-Aws-Request-Id`
    result <- do.call(handler_parts[2], fromJSON(rawToChar(event$content)))
    POST(paste0(api, id, "/response"), body = toJSON(result, auto_unbox = TRUE), encode = "raw", content_type_json())
}
