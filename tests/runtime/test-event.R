kind <- function(text) {
    read_event(charToRaw(text), handler_of(function(...) NULL))$kind
}

test("kinds are told by structure", {
    expect(kind(""), "none")
    expect(kind('[{"requestContext":{},"httpMethod":"GET"}]'), "value")
    expect(kind("{}"), "direct")
    expect(kind('{"httpMethod":"GET","requestContext":{"stage":"x"}}'), "http")
    expect(kind('{"version":"2.0","requestContext":{"http":{"method":"GET"}}}'), "http")
    expect(kind('{"httpMethod":"GET","requestContext":{"elb":{"arn":"a"}}}'), "http")
    expect(kind('{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"m"}}]}'), "sns")
    expect(kind('{"detail-type":"t","source":"s","detail":{}}'), "eventbridge")
    expect(kind('{"detail-type":"t","source":"s","detail":"{}"}'), "eventbridge")
    expect(kind('{"method":"GET","requestContext":{"serviceNetworkArn":"a"}}'), "http")
    expect(kind('{"requestContext":{"connectionId":"c","eventType":"MESSAGE"}}'), "http")
    expect(kind("\r\n\t {}"), "direct")
})

test("direct events may hold the same words", {
    expect(kind('{"source":"abc","x":1}'), "direct")
    expect(kind('{"x":"httpMethod routeKey requestContext aws:sns"}'), "direct")
    expect(kind('{"httpMethod":"GET"}'), "direct")
    expect(kind('{"requestContext":{},"routeKey":"x"}'), "direct")
    expect(kind('{"requestContext":5,"httpMethod":"GET"}'), "direct")
    expect(kind('{"detail-type":"t","source":"s"}'), "direct")
    expect(kind('{"Records":[{"EventSource":"aws:sns"}]}'), "direct")
    expect(kind('{"Records":[{"eventSource":"aws:sqs","body":"b"}]}'), "direct")
    expect(kind('{"Records":"aws:sns"}'), "direct")
    expect(kind('{"Records":[{"EventSource":"x","Sns":{"Message":"m"}}]}'), "direct")
})

test("questions to an authorizer are direct: their answer is no response", {
    expect(kind(paste0('{"type":"REQUEST","methodArn":"a","httpMethod":"GET",',
        '"requestContext":{}}')), "direct")
    expect(kind(paste0('{"version":"2.0","type":"REQUEST","routeArn":"a",',
        '"requestContext":{"http":{"method":"GET"}}}')), "direct")
})

test("SNS: fields of the message, or its text", {
    sns <- function(message) write_json(list(Records = list(list(EventSource = "aws:sns",
        Sns = list(Message = message)))))
    expect(arguments_of(function(a, b) NULL, sns('{"a":1}')), list(a = 1L))
    expect(arguments_of(function(text) NULL, sns("hello")), list(text = "hello"))
    expect(arguments_of(function(x) NULL, sns("[1,2]")), list(x = 1:2))
    expect(names(arguments_of(function(Records) NULL, sns("x"))), "Records")
})

test("EventBridge: the fields of its detail", {
    text <- '{"detail-type":"t","source":"s","detail":{"a":[1,2]}}'
    expect(arguments_of(function(a) NULL, text), list(a = 1:2))
    expect(arguments_of(function() NULL, '{"detail-type":"t","source":"s","detail":{}}'),
        structure(list(), names = character()))
    text <- '{"detail-type":"t","source":"s","detail":"{\\"a\\":1}"}'
    expect(arguments_of(function(a) NULL, text), list(a = 1L))
    text <- '{"detail-type":"t","source":"s","detail":{"a":[1,2]}}'
    expect(names(arguments_of(function(detail, ...) NULL, text)),
        c("detail-type", "source", "detail"))
})
