//! The event of an invocation: JSON from the command line, a file or stdin.

use std::io::Read;

use anyhow::{Context, Result, bail};

use crate::invoke_api::InvocationType;

/// The event: JSON, `@FILE` or `-`, as large as Lambda takes it.
pub fn read(text: &str, kind: InvocationType) -> Result<Vec<u8>> {
    let (event, from) = match text.strip_prefix('@') {
        Some(path) => {
            let event = fs_err::read(path).context("--event @FILE names a file with the event")?;
            (event, path.to_owned())
        }
        None if text == "-" => {
            let mut event = Vec::new();
            std::io::stdin().lock().read_to_end(&mut event)?;
            (event, "stdin".to_owned())
        }
        None => (text.as_bytes().to_vec(), "--event".to_owned()),
    };
    let (size, largest) = (event.len(), kind.largest_event());
    if size > largest {
        let hint = match kind {
            InvocationType::Event => " with --async",
            _ => "",
        };
        bail!(
            "the event from {from} has {size} bytes, and Lambda takes at most {largest}{hint}; put the data into S3 and \
             send where it is"
        );
    }
    if !event.is_empty() {
        serde_json::from_slice::<serde::de::IgnoredAny>(&event).with_context(|| {
            format!("the event from {from} is not JSON; type for example --event '{{\"x\":1}}'")
        })?;
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_as_large_as_lambda_takes_it() {
        let text = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
        for (kind, largest) in [
            (InvocationType::RequestResponse, 6_291_456),
            (InvocationType::Event, 1_048_576),
        ] {
            assert!(super::read(&text(largest), kind).is_ok());
            let error = super::read(&text(largest + 1), kind).unwrap_err();
            let error = error.to_string();
            for size in [largest, largest + 1] {
                assert!(error.contains(&size.to_string()), "{error}");
            }
        }
    }

    fn read(text: &str) -> Result<Vec<u8>> {
        super::read(text, InvocationType::RequestResponse)
    }

    #[test]
    fn an_event_is_json_from_the_command_line_or_a_file() {
        assert_eq!(read(r#"{"x":1}"#).unwrap(), br#"{"x":1}"#);
        assert!(read("").unwrap().is_empty());
        assert!(read("{x:1}").unwrap_err().to_string().contains("not JSON"));
        assert!(read("@/nowhere/event.json").is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "[1]").unwrap();
        assert_eq!(
            read(&format!("@{}", file.path().display())).unwrap(),
            b"[1]"
        );
    }
}
