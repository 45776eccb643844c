# Handlers written for the package lambdr, which is not installed: ours stands in for it.

bodies <- function(played) vapply(played$answers, `[[`, "", "body")
play_lambdr <- function(handler, code, events = list(), ...) {
    play(handler, code_folder("runtime.R" = code), events, ...)
}
gateway <- function(body, ...) {
    write_json(list(httpMethod = "POST", requestContext = list(stage = "x"), body = body, ...))
}

test("its runtime.R", {
    code <- "parity <- function(number) {
            list(parity = if (as.integer(number) %% 2 == 0) 'even' else 'odd')
        }
        lambdr::start_lambda()"
    expect(bodies(play_lambdr("parity", code, list('{"number":3}', '{"number":4}'))),
        c('{"parity":"odd"}', '{"parity":"even"}'))
    expect(bodies(play_lambdr("parity", paste("library(lambdr);", sub("lambdr::", "", code)),
        list(gateway('{"number":3}')))),
        '{"isBase64Encoded":false,"statusCode":200,"body":"{\\"parity\\":\\"odd\\"}"}')
})

test("a handler that lambda_config() is given, by whatever name", {
    expect(bodies(play_lambdr("whatever", "
        add <- function(x, y, context) list(sum = x + y, id = context$aws_request_id)
        lambdr::start_lambda(lambdr::lambda_config(handler = add))
    ", list('{"x":1,"y":2}'))), '{"sum":3,"id":"request-1"}')
    played <- play_lambdr("whatever", "
        library(lambdr)
        start_lambda(lambda_config(handler = function(x) stop('no ', x)))
    ", list('{"x":"luck"}'))
    expect(jsonlite::parse_json(bodies(played))$stackTrace[[1]], 'handler(x = "luck")')
})

test("functions of the environment that start_lambda() is called in", {
    expect(bodies(play_lambdr("hidden", "
        main <- function() {
            hidden <- function() 'found'
            lambdr::start_lambda()
        }
        main()
    ", list(""))), '"found"')
})

test("a deserialiser gets the text, and its list is arguments", {
    code <- function(arguments, deserialiser) paste0("f <- function(", arguments, ") list(...)
        library(lambdr)
        f <- function(", arguments, ") as.list(environment())
        start_lambda(lambda_config(deserialiser = ", deserialiser, "))")
    answer <- function(arguments, deserialiser, event) {
        bodies(play_lambdr("f", code(arguments, deserialiser), list(event)))
    }
    expect(answer("text", "identity", " [1, 2] \n"), '{"text":" [1, 2] \\n"}')
    expect(answer("event", "function(text) list(event = nchar(text))", "abc"), '{"event":3}')
    expect(answer("a, b", "function(text) list(1, a = text)", "x"), '{"a":"x","b":1}')
    expect(answer("", "function(x) list()", "no JSON {"), "[]")
    expect(answer("x", "function(text) data.frame(x = 1:2)", ""), '{"x":[1,2]}')
    expect(answer("a", "identity", gateway("x")), paste0('{"isBase64Encoded":false,',
        '"statusCode":200,"body":', write_json(write_json(list(a = gateway("x")))), "}"))
})

test("errors of a deserialiser are responses over HTTP", {
    played <- play_lambdr("f", "library(lambdr)
        f <- function(x) x
        start_lambda(lambda_config(deserialiser = function(text) stop_html('gone', code = 410)))
    ", list(gateway("x"), "{}"))
    answer <- jsonlite::parse_json(bodies(played)[1])
    expect(answer[c("statusCode", "body")], list(statusCode = 410L, body = "gone"))
    expect(jsonlite::parse_json(bodies(played)[2])$errorType, "html_error")
})

test("a serialiser's text is the whole answer, also over HTTP", {
    code <- "library(lambdr)
        f <- function(x = 'x') x
        start_lambda(lambda_config(serialiser = function(result) paste0('<', result, '>')))"
    expect(bodies(play_lambdr("f", code, list('{"x":"y"}', gateway('{"x":"z"}')))), c("<y>", "<z>"))
})

test("base64 stays if lambda_config() says so", {
    code <- "f <- function(text) text
        lambdr::start_lambda(lambdr::lambda_config(decode_base64 = FALSE))"
    event <- gateway("eyJ0ZXh0Ijo3fQ==", isBase64Encoded = TRUE,
        headers = list("Content-Type" = "application/json"))
    expect(jsonlite::parse_json(bodies(play_lambdr("f", code, list(event))))$body,
        '"eyJ0ZXh0Ijo3fQ=="')
    expect(jsonlite::parse_json(bodies(play_lambdr("f", "f <- function(text) text
        lambdr::start_lambda()", list(event))))$body, "7")
})

test("html_response() and stop_html()", {
    played <- play_lambdr("f", "library(lambdr)
        f <- function(page = 'none') {
            if (page == 'none') stop_html('no page', code = 404L)
            html_response(page, content_type = 'text/html', headers = list(x = 'a'))
        }
        start_lambda()
    ", list(gateway('{"page":"<p>"}'), gateway(NULL), '{"page":"direct"}'))
    expect(bodies(played)[c(1, 3)], sprintf(paste0('{"body":"%s","isBase64Encoded":false,',
        '"statusCode":200,"headers":{"x":"a","Content-Type":"text/html"}}'), c("<p>", "direct")))
    expect(jsonlite::parse_json(bodies(played)[2])[c("statusCode", "body")],
        list(statusCode = 404L, body = "no page"))
})

test("html_response() of the runtime is the same", {
    same <- function(...) expect(html_response(...), shim$html_response(...))
    shim <- loadNamespace("lambdr", lib.loc = file.path(runtime_folder, "library"))
    on.exit(unloadNamespace("lambdr"))
    same("abc")
    same("YWJj", is_base64 = TRUE)
    same("abc", headers = list(x = "a"))
    same("abc", FALSE, 404L, "text/plain", c("Content-Type" = "text/html"))
    same(NULL, status_code = 204L)
})

test("settings of ours go through lambda_config()", {
    code <- "library(lambdr)
        f <- function(x) names(x)
        lambda_config(event = 'raw', digits = 2)
        start_lambda()"
    expect(bodies(play_lambdr("f", code, list('{"a":1}'))), '"a"')
})

test("what is wrong is an init error", {
    init_error <- function(handler, code) {
        played <- play_lambdr(handler, code)
        stopifnot(grepl("init/error$", played$answers[[1]]$path))
        sub(" \\(in .*", "", jsonlite::parse_json(bodies(played))$errorMessage)
    }
    expect(init_error("f", "lambdr::start_lambda(list())"),
        "The Lambda runtime configuration should be provided by the lambda_config function")
    expect(init_error("f", "lambdr::start_lambda(lambdr::lambda_config(serialiser = 'json'))"),
        "custom serialiser is not a function")
    stopifnot(startsWith(init_error("f", "g <- function() 1; lambdr::start_lambda()"),
        'Function "f" does not exist\n'))
})

test("the package itself goes first, wherever it is", {
    folder <- code_folder("runtime.R" = "f <- function() lambdr::html_response()")
    fake_package(file.path(folder, "library"), "lambdr", "html_response <- function() 'real'",
        "html_response")
    expect(bodies(play("f", folder, list(""))), '"real"')
    library <- tempfile()
    fake_package(library, "lambdr", "html_response <- function() 'user'", "html_response")
    expect(bodies(play("f", code_folder("runtime.R" = "f <- function() lambdr::html_response()"),
        list(""), paste0("R_LIBS_USER=", library))), '"user"')
})

test("it is a package as any other", {
    code <- "library(lambdr)
        .libPaths(c('/tmp', .libPaths()))
        f <- function() list(requireNamespace('lambdr'), importing::shown(), 'lambdr' %in%
            loadedNamespaces(), as.character(packageVersion('lambdr')), search()[2])"
    folder <- code_folder("runtime.R" = code)
    fake_package(file.path(folder, "library"), "importing",
        "shown <- function() prettify_list(list(a = 1))", "shown")
    cat("import(lambdr)\n", file = file.path(folder, "library", "importing", "NAMESPACE"),
        append = TRUE)
    expect(bodies(play("f", folder, list(""))),
        '[true,"a=1",true,"1.2.7","package:lambdr"]')
})

test("nobody who does not ask for it gets it", {
    played <- play_lambdr("f", "f <- function() isNamespaceLoaded('lambdr')", list(""))
    expect(bodies(played), "false")
})

test("its metadata and its DESCRIPTION tell the same", {
    folder <- file.path(runtime_folder, "library", "lambdr")
    told <- readRDS(file.path(folder, "Meta", "package.rds"))
    expect(told$DESCRIPTION, read.dcf(file.path(folder, "DESCRIPTION"))[1, ])
    stopifnot(grepl(paste0("R ", told$Built$R), told$DESCRIPTION[["Built"]]))
})

test("its other functions", {
    shim <- loadNamespace("lambdr", lib.loc = file.path(runtime_folder, "library"))
    on.exit(unloadNamespace("lambdr"))
    expect(shim$as_stringified_json(list(number = 9)), '{"number":9}')
    expect(shim$as_stringified_json(NULL), NULL)
    expect(shim$from_base64("eyJudW1iZXIiOjd9"), '{"number":7}')
    expect(shim$from_base64(NULL), NULL)
    content <- function(text, class) {
        shim$parse_event_content(structure(list(event_content = text), class = class), list())
    }
    expect(content("", "event"), list())
    expect(content('{"source":"s","detail":{"a":1}}', c("eventbridge_event", "event")),
        list(a = 1L))
    expect(content('{"queryStringParameters":{"a":"1,2"},"body":"{\\"b\\":3}"}',
        c("html_api_gateway_event", "event")), list(b = 3L, a = c("1", "2")))
    event <- structure(list(result = 1.5), class = c("rest_api_gateway_event", "event"))
    expect(shim$serialise_result(event, list()),
        '{"isBase64Encoded":false,"statusCode":200,"body":"1.5"}')
    expect(error_of(shim$handle_event_error(structure(list(), class = "event"))(
        simpleError("passed on"))), "passed on")
})
