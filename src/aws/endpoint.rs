//! Addresses that are set in place of AWS's own: checked before the SDK reads them, which ends the program over what is none.

use reqwest::Url;

use super::AwsError;

/// Settings that name an address; the SDK reads those of the services that it speaks to.
const VARIABLES: [&str; 4] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
];

/// Are the addresses that the flag and the environment name such?
pub fn check_endpoints(typed: Option<&str>) -> Result<(), AwsError> {
    if let Some(typed) = typed {
        check("--endpoint-url", typed)?;
    }
    for variable in VARIABLES {
        if let Ok(value) = std::env::var(variable) {
            check(variable, &value)?;
        }
    }
    Ok(())
}

fn check(setting: &'static str, value: &str) -> Result<(), AwsError> {
    let is_one = Url::parse(value)
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    match is_one {
        true => Ok(()),
        false => Err(AwsError::NoEndpoint {
            setting,
            value: value.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_said_and_ends_nothing() {
        for good in ["http://127.0.0.1:5000", "https://lambda.example.org/x"] {
            assert!(check("AWS_ENDPOINT_URL", good).is_ok(), "{good}");
        }
        for bad in ["", "nonsense", "ftp://x", "http://"] {
            let error = check("AWS_ENDPOINT_URL", bad).unwrap_err().to_string();
            assert!(error.contains("AWS_ENDPOINT_URL"), "{error}");
        }
    }
}
