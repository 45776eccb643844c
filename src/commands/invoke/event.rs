//! The event of an invocation: JSON from the command line, a file or stdin.

use std::io::Read;

use anyhow::{Context, Result, bail};

/// The largest event of a synchronous invocation, in bytes.
const LARGEST_EVENT: usize = 6_291_456;

/// The event: JSON, `@FILE` or `-`.
pub fn read(text: &str) -> Result<Vec<u8>> {
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
    if event.len() > LARGEST_EVENT {
        bail!(
            "the event from {from} has {} bytes; Lambda takes {LARGEST_EVENT}",
            event.len()
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
