use super::*;

#[test]
fn codes_are_sorted_by_what_helps() {
    for (code, message, status, refusal) in [
        ("ExpiredTokenException", "", 403, Refusal::Expired),
        ("UnrecognizedClientException", "", 403, Refusal::NotEnabled),
        ("AccessDeniedException", "", 403, Refusal::Denied),
        (
            "InvalidSignatureException",
            "Signature expired: 20260101T000000Z is now earlier than …",
            403,
            Refusal::Clock,
        ),
        (
            "InvalidSignatureException",
            "does not match",
            403,
            Refusal::Denied,
        ),
        (
            "TooManyRequestsException",
            "Rate exceeded",
            429,
            Refusal::Throttled,
        ),
        ("", "", 502, Refusal::Fault),
        ("ServiceException", "", 500, Refusal::Fault),
    ] {
        assert_eq!(of_code(code, message, status), refusal, "{code} {status}");
    }
}

#[test]
fn a_denied_call_comes_with_the_statement_that_allows_it() {
    let region = Region::typed("eu-central-1").unwrap();
    let layer = "arn:aws:lambda:eu-central-1:123456789012:layer:r";
    let call = Call::new("lambda:PublishLayerVersion", layer, &region);
    let error = AwsError::answered(
        call,
        403,
        "AccessDeniedException",
        "no identity-based policy",
    );
    let text = error.to_string();
    assert!(
        text.contains(r#""Action":"lambda:PublishLayerVersion""#) && text.contains(layer),
        "{text}"
    );
}
