# Base64: what JSON has for bytes.

# For handlers: the content of a text in base64, as text if it is text in UTF-8, else as raw bytes.
# NULL stays NULL. In the data of Kinesis, say: from_base64(record$kinesis$data).
from_base64 <- function(x) {
    if (is.null(x)) {
        return(NULL)
    }
    bytes <- base64_bytes(x)
    tryCatch(bytes_to_text(bytes), error = function(e) bytes)
}

# Decodes a text, of either alphabet, with or without line breaks and padding. jsonlite's decoder
# takes plain base64 and may answer anything else with wrong bytes, or none.
base64_bytes <- function(text) {
    plain <- text
    if (grepl("[^A-Za-z0-9+/=]", plain, perl = TRUE, useBytes = TRUE)) {
        plain <- chartr("-_", "+/", gsub("[ \t\r\n]", "", plain, perl = TRUE, useBytes = TRUE))
    }
    plain <- sub("={1,2}$", "", plain, perl = TRUE, useBytes = TRUE)
    size <- nchar(plain, "bytes")
    if (size %% 4L == 1L || grepl("[^A-Za-z0-9+/]", plain, perl = TRUE, useBytes = TRUE)) {
        stop(runtime_error("not valid base64: ", encodeString(substr(text, 1L, 40L), quote = "\""),
            code = 400L))
    }
    base64_decoded(paste0(plain, strrep("=", -size %% 4L)))
}

# Encodes bytes, in one line: jsonlite breaks long ones.
base64_text <- function(bytes) {
    gsub("\n", "", base64_encoded(bytes), fixed = TRUE)
}
