# Events as AWS documents them, one file each in tests/events. Every file has an entry below.

events_folder <- file.path(functions_folder, "..", "..", "events")
seen <- character()

sample_text <- function(name) {
    path <- file.path(events_folder, paste0(name, ".json"))
    text <- readChar(path, file.size(path), useBytes = TRUE)
    Encoding(text) <- "UTF-8"
    text
}

# Checks one file: the kind that the event is told to be, the arguments that a handler gets; for
# any event, that `event` is all of it, and that the raw keys can be had.
check_sample <- function(name, kind, fun, arguments) {
    text <- sample_text(name)
    expect(read_event(charToRaw(text), handler_of(fun))$kind, kind)
    expect(arguments_of(fun, text), arguments)
    whole <- jsonlite::fromJSON(text, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)
    expect(arguments_of(function(event) NULL, text), list(event = whole))
    all_keys <- function() NULL
    formals(all_keys) <- sapply(names(whole), function(key) quote(expr = ), simplify = FALSE)
    if (any(names(whole) %in% event_keys)) {
        expect(arguments_of(all_keys, text), jsonlite::fromJSON(text))
    }
}

# One test for one file.
check <- function(name, kind, fun, arguments) {
    seen <<- c(seen, name)
    do.call(test, list(paste("sample event:", name),
        bquote(check_sample(.(name), .(kind), .(fun), .(arguments)))))
}

# The same for events that are nothing but their keys.
check_direct <- function(name) {
    check(name, "direct", function(...) NULL, jsonlite::fromJSON(sample_text(name)))
}

nothing <- structure(list(), names = character())

check("apigateway-rest", "http", function(user = 0L, name, scores, verbose = FALSE) NULL,
    list(user = 42L, name = "Zo\u00eb", scores = c(1, 2.5), verbose = TRUE))
check("apigateway-rest-multi-value", "http", function(tag, limit = 5) NULL,
    list(tag = c("a", "b,c"), limit = 10))
check("apigateway-rest-binary", "http", function(file, content) NULL,
    list(file = "plot.png", content = as.raw(c(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))))
check("apigateway-http-payload-1", "http", function(user, verbose = NA) NULL,
    list(user = "42", verbose = "1"))
check("apigateway-http", "http", function(user = 0, name, scores, tag, verbose = TRUE) NULL,
    list(user = 42, name = "Zo\u00eb", scores = c(1, 2.5), tag = c("a", "b"), verbose = TRUE))
check("apigateway-http-form", "http", function(user, n = 0, tag) NULL,
    list(user = "zo\u00eb", n = 5, tag = c("a", "b c")))
check("function-url", "http", function(text, n = 1L) NULL,
    list(text = "Hello from a client!", n = c(5L, 7L)))
check("function-url-json", "http", function(number) NULL, list(number = 5L))
check("function-url-get", "http", function() NULL, list())
check("apigateway-websocket-connect", "http", function(room) NULL, list(room = "7"))
check("apigateway-websocket-message", "http", function(action, text) NULL,
    list(action = "say", text = "Gr\u00fc\u00dfe"))
check("apigateway-websocket-disconnect", "http", function(...) NULL, list())
check("alb", "http", function(query, n = 0) NULL,
    list(query = "Gr\u00fc\u00dfe aus K\u00f6ln", n = 5))
check("alb-multi-value", "http", function(name, choice = 0L, tag, n) NULL,
    list(name = "Zo\u00eb", choice = 1:2, tag = c("a b", "c"), n = "5"))
check("vpc-lattice", "http", function(id, tag, limit = 1) NULL,
    list(id = 42L, tag = c("a", "b"), limit = 10))
check("sns", "sns", function(message) NULL, list(message = "Hello from SNS!"))
check("sns-json", "sns", function(job, days) NULL, list(job = "report", days = 1:3))
check("eventbridge", "eventbridge", function(...) NULL,
    list("instance-id" = "i-1234567890abcdef0", state = "terminated"))
check("eventbridge-scheduled", "eventbridge", function() NULL, nothing)
check("eventbridge-scheduler", "eventbridge", function() NULL, list())

for (name in c("direct", "sqs", "s3", "dynamodb-stream", "kinesis", "kinesis-firehose", "msk",
    "s3-batch", "cognito-pre-sign-up", "cloudwatch-logs", "cloudformation", "ses",
    "authorizer-rest", "authorizer-token", "authorizer-http")) {
    check_direct(name)
}

test("every sample event is checked", {
    expect(sort(seen), sort(sub("[.]json$", "", list.files(events_folder))))
})

test("records are walked one by one, and base64 stays text", {
    event <- arguments_of(function(event) NULL, sample_text("kinesis"))$event
    data <- vapply(event$Records, function(record) record$kinesis$data, "")
    expect(data[1], "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==")
    expect(from_base64(data[2]), '{"Zo\u00eb": 1}')
    event <- arguments_of(function(event) NULL, sample_text("dynamodb-stream"))$event
    expect(vapply(event$Records, function(r) r$eventName, ""), c("INSERT", "MODIFY", "REMOVE"))
    expect(event$Records[[1]]$dynamodb$NewImage$Blobs$BS, c("AAEqQQ==", "QSoBAA=="))
})

test("Records as an argument are a data frame", {
    records <- arguments_of(function(Records, context) NULL, sample_text("sqs"))$Records
    expect(records$body, c('{"id": 1}', "Test message."))
    records <- arguments_of(function(Records, ...) NULL, sample_text("sns"))$Records
    expect(records$Sns$Message, "Hello from SNS!")
})
